import { Refusal } from '../../problem/refusal.ts'

/** Milliseconds until a change is answered without its audit record. */
const PATIENCE = 5_000

/**
 * Waits until the audit records of all changes are on disk. Throws `audit-unavailable` when they cannot be written or take too long, saying with `made`
 * that the change stays: its record follows as soon as it can.
 */
export function onRecord(settled: () => Promise<void>, patience: number = PATIENCE): (made: string) => Promise<void> {
  return async (made) => {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('the audit log did not take the change in time')), patience)
    })
    try {
      await Promise.race([settled(), late])
    } catch (cause) {
      const message = `the change was made: ${made}; its audit record is still to be written`
      throw new Refusal('audit-unavailable', 'change-not-recorded', { cause, errors: [{ path: '', message }] })
    } finally {
      clearTimeout(timer)
    }
  }
}
