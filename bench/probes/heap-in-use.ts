/** Answers the message `heap` with the bytes of heap that are in use after a collection. Needs `--expose-gc`. */
export function tellHeap(): void {
  process.on('message', (message) => {
    if (message !== 'heap') return
    // Twice: what the first one finalizes is freed by the second.
    globalThis.gc?.()
    setImmediate(() => {
      globalThis.gc?.()
      process.send?.(process.memoryUsage().heapUsed)
    })
  })
  // The channel alone must not keep a program from ending.
  process.channel?.unref()
}
