// Loaded into the server under test beside its own code: on request of the harness it collects garbage and tells the memory
// that is left. Needs --expose-gc and an IPC channel.
process.on('message', (message) => {
  if (message !== 'memory') return
  const collect = (globalThis as { gc?: () => void }).gc
  collect?.()
  // Finalizers of the first collection free what they held, which the second one takes.
  setImmediate(() => {
    collect?.()
    const { rss, heapUsed, external } = process.memoryUsage()
    process.send?.({ rss, heapUsed, external })
  })
})
process.channel?.unref()
