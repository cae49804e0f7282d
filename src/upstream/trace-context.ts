import { randomFillSync } from 'node:crypto'

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/
const IDS = 24
const pool = Buffer.alloc(IDS * 256)
let used = pool.length

/** The one well-formed `traceparent` (W3C Trace Context, version 00); null when there is none, a malformed one, or several. */
export function receivedTraceparent(rawHeaders: readonly string[]): string | null {
  let found: string | null = null
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length !== 11 || name.toLowerCase() !== 'traceparent') continue
    if (found !== null) return null
    found = rawHeaders[index + 1] as string
  }
  return found !== null && TRACEPARENT.test(found) ? found : null
}

/**
 * A new trace. Marked as sampled, so that a service which follows its caller's decision treats the request as it would one without a trace;
 * with the mark unset such a service would record nothing at all. Random bytes are drawn for many requests at once.
 */
export function newTraceparent(): string {
  if (used === pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const trace = pool.toString('hex', used, used + 16)
  const span = pool.toString('hex', used + 16, used + IDS)
  used += IDS
  return `00-${trace}-${span}-01`
}
