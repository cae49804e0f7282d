const WAIT_MS = 2000
const PAUSE_MS = 10

/**
 * Tries again while another connection holds the lock, for 2 seconds. SQLite's own waiting would stop the event loop: the gateway would
 * stand still, and for ever if the lock's holder is in this process and needs the loop to go on.
 */
export async function whenFree<T>(attempt: () => T | Promise<T>): Promise<T> {
  const deadline = performance.now() + WAIT_MS
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    }
  }
}

/** SQLITE_BUSY, in any extension (sqlite.org/rescode.html#busy). */
function isBusy(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error && Number(error.errcode) % 256 === 5
}
