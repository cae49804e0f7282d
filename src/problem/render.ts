import type { Allowance } from '../domain/limit.ts'
import type { Refusal } from './refusal.ts'
import { refusalKind } from './refusals.ts'

/** Which credentials a route would take, for the challenge of a 401. */
export interface Challenge {
  readonly jwt: boolean
  readonly apiKeyHeader: string | null
}

/** A refusal as it goes to the client. Header names in lower case; a list becomes repeated headers. */
export interface RenderedRefusal {
  readonly status: number
  readonly headers: Record<string, string | string[]>
  readonly body: string
}

/**
 * A refusal as `application/problem+json` (RFC 9457). The body holds only what the table says, the request id and, for administrators, `errors` in our
 * own words, so nothing that a client sent and no cause can come back in it.
 */
export function renderRefusal(refusal: Refusal, requestId: string, challenge: Challenge): RenderedRefusal {
  const kind = refusalKind(refusal.code)
  const body = JSON.stringify({
    type: `urn:planegate:problem:${refusal.code}`,
    title: kind.title,
    status: kind.status,
    code: refusal.code,
    requestId,
    ...(refusal.details.errors && { errors: refusal.details.errors }),
  })
  const headers: Record<string, string | string[]> = {
    'content-type': 'application/problem+json',
    'content-length': String(new TextEncoder().encode(body).length),
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-request-id': requestId,
  }
  const challenges = challengesOf(refusal, challenge)
  if (challenges.length > 0) headers['www-authenticate'] = challenges
  if (refusal.details.allow) headers.allow = refusal.details.allow.join(', ')
  if (refusal.details.allowance) Object.assign(headers, rateLimitHeaders([refusal.details.allowance]))
  const retryAfter = refusal.details.allowance ? Math.ceil(refusal.details.allowance.retryAfterMs / 1000) : kind.retryAfter
  if (retryAfter !== undefined) headers['retry-after'] = String(Math.max(1, retryAfter))
  // Whoever can say what to mend has read the request whole: the connection is sound.
  if (kind.close && refusal.details.errors === undefined) headers.connection = 'close'
  return { status: kind.status, headers, body }
}

/** `RateLimit-Policy` and `RateLimit` as structured fields (draft-ietf-httpapi-ratelimit-headers); times in whole seconds, rounded up. */
export function rateLimitHeaders(allowances: readonly Allowance[]): Record<string, string> {
  if (allowances.length === 0) return {}
  const policies: string[] = []
  const states: string[] = []
  for (const { limit, remaining, retryAfterMs, resetMs } of allowances) {
    policies.push(`"${limit.name}";q=${limit.count};w=${Math.ceil(limit.periodMs / 1000)}`)
    states.push(`"${limit.name}";r=${remaining};t=${Math.ceil((remaining > 0 ? resetMs : retryAfterMs) / 1000)}`)
  }
  return { 'ratelimit-policy': policies.join(', '), ratelimit: states.join(', ') }
}

/** RFC 6750 section 3: a bare scheme when nothing was presented, `invalid_token` when something was, `insufficient_scope` for scopes. */
function challengesOf(refusal: Refusal, { jwt, apiKeyHeader }: Challenge): string[] {
  const { challenge } = refusalKind(refusal.code)
  if (challenge === undefined) return []
  if (challenge === 'scope') return [`Bearer error="insufficient_scope", scope="${(refusal.details.scopes ?? []).join(' ')}"`]
  const challenges: string[] = []
  if (jwt) challenges.push(challenge === 'invalid' ? 'Bearer error="invalid_token"' : 'Bearer')
  if (apiKeyHeader !== null) challenges.push(`ApiKey header="${apiKeyHeader}"`)
  return challenges
}

/** A rendered refusal as the bytes of an HTTP/1.1 response, for sockets that have no response object (a failed upgrade, a broken head). */
export function wireFormat({ status, headers, body }: RenderedRefusal, statusText: string): string {
  const lines = [`HTTP/1.1 ${status} ${statusText}`]
  for (const [name, value] of Object.entries({ ...headers, connection: 'close' })) {
    for (const one of Array.isArray(value) ? value : [value]) lines.push(`${name}: ${one}`)
  }
  return `${lines.join('\r\n')}\r\n\r\n${body}`
}
