/** Holds up all that this process does, as a long collection would: both ends of a connection that it has to itself. */
export function standStill(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
