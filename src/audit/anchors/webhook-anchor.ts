import type { AuditAnchor } from '../../ports/audit-anchor.ts'

export interface WebhookOptions {
  /** Milliseconds until an answer must have begun. */
  readonly timeoutMs: number
}

/**
 * Sends each checkpoint to somebody who keeps it: POST, the note as the body, the log's name in the header `planegate-log`. An
 * answer of 2xx means kept, whatever else it says: its body is not read. Redirects are not followed, for they could lead where
 * nobody meant. Nothing can be asked back.
 */
export function webhookAnchor(url: string, { timeoutMs }: WebhookOptions = { timeoutMs: 5_000 }): AuditAnchor {
  // Path and query of such addresses often hold a secret.
  const place = URL.parse(url)?.origin ?? 'the webhook'
  return {
    place,
    async put(note, origin) {
      const status = await post(url, note, origin, timeoutMs).catch((error: unknown) => {
        throw new Error(`${place} did not take the checkpoint: ${troubleOf(error)}.`)
      })
      if (status < 200 || status > 299) throw new Error(`${place} did not take the checkpoint: it answered ${status}.`)
    },
    latest: async () => null,
  }
}

async function post(url: string, body: string, origin: string, timeoutMs: number): Promise<number> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'text/plain; charset=utf-8', 'planegate-log': origin },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  })
  // Ends the connection if the answer goes on: whatever comes is neither read nor unpacked.
  await response.body?.cancel().catch(() => {})
  return response.status
}

/** A code, never the message: that of `fetch` may repeat the address. */
function troubleOf(error: unknown): string {
  if (!(error instanceof Error)) return 'it cannot be reached'
  if (error.name === 'TimeoutError') return 'it did not answer in time'
  const { cause } = error
  const code = cause instanceof Error && 'code' in cause ? cause.code : null
  return typeof code === 'string' && /^[A-Z_]+$/.test(code) ? `it cannot be reached (${code})` : 'it cannot be reached'
}
