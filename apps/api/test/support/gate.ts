/** What waits for `passed` goes on once a test has called `open`. */
export interface Gate {
  readonly passed: Promise<void>
  readonly open: () => void
}

/** A gate that is closed. Opened, it stays open. */
export function makeGate(): Gate {
  let open = (): void => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open }
}
