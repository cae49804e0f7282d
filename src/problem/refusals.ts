/** How loudly the log speaks of a refusal. Clients' mistakes are `info`, attacks `warn`, our own trouble `error`. */
export type LogLevel = 'info' | 'warn' | 'error'

/** One row of the refusal table. */
export interface RefusalKind {
  readonly status: number
  /** What the client reads. Says nothing that helps an attacker. */
  readonly title: string
  readonly level: LogLevel
  /** The `WWW-Authenticate` challenge that a 401 or 403 carries (RFC 6750 section 3). */
  readonly challenge?: 'missing' | 'invalid' | 'scope'
  /** Which invariant this refusal enforces. */
  readonly invariant?: 'I1' | 'I2' | 'I3' | 'I4'
  /** Seconds after which trying again is sensible, where the refusal itself knows no better. */
  readonly retryAfter?: number
  /** The connection is closed after the answer: its framing can no longer be trusted. */
  readonly close?: true
}

/** Every way planegate says no. The only place where a code gets its status. */
export const REFUSALS = {
  'request-malformed': { status: 400, title: 'The request is malformed', level: 'info', close: true },
  'path-ambiguous': { status: 400, title: 'The path can be read in more than one way', level: 'warn' },
  'credential-ambiguous': { status: 400, title: 'More than one credential was presented', level: 'warn', invariant: 'I1' },
  'credential-missing': { status: 401, title: 'A credential is required', level: 'info', challenge: 'missing' },
  'credential-invalid': { status: 401, title: 'The credential is not valid', level: 'info', challenge: 'invalid' },
  'plane-mismatch': { status: 403, title: 'This kind of credential is not accepted here', level: 'warn', invariant: 'I2' },
  'worker-refuses-jwt': { status: 403, title: 'Worker paths accept API keys only', level: 'warn', invariant: 'I3' },
  'admin-refuses-api-key': { status: 403, title: 'Admin paths do not accept API keys', level: 'warn', invariant: 'I4' },
  'scope-insufficient': { status: 403, title: 'The credential lacks a required scope', level: 'info', challenge: 'scope' },
  'policy-denied': { status: 403, title: 'Access is denied', level: 'info' },
  'route-unknown': { status: 404, title: 'There is no such route', level: 'info' },
  'key-unknown': { status: 404, title: 'There is no such API key', level: 'info' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here', level: 'info' },
  'request-timeout': { status: 408, title: 'The request took too long to arrive', level: 'info', close: true },
  'key-not-active': { status: 409, title: 'The API key cannot be rotated', level: 'info' },
  'body-too-large': { status: 413, title: 'The request body is too large', level: 'info', close: true },
  'rate-limited': { status: 429, title: 'Too many requests', level: 'info' },
  'headers-too-large': { status: 431, title: 'The request headers are too large', level: 'info', close: true },
  internal: { status: 500, title: 'The gateway failed', level: 'error' },
  'upstream-unreachable': { status: 502, title: 'The upstream cannot be reached', level: 'error' },
  'upstream-invalid': { status: 502, title: 'The upstream gave an invalid answer', level: 'error' },
  'keys-unavailable': { status: 503, title: 'The credential cannot be verified at the moment', level: 'error', retryAfter: 5 },
  'revocation-unavailable': {
    status: 503,
    title: 'The credential cannot be checked at the moment',
    level: 'error',
    retryAfter: 5,
  },
  'limiter-unavailable': { status: 503, title: 'Rate limits cannot be checked at the moment', level: 'error', retryAfter: 5 },
  'store-unavailable': { status: 503, title: 'The credential cannot be looked up at the moment', level: 'error', retryAfter: 5 },
  'audit-unavailable': { status: 503, title: 'The request cannot be recorded at the moment', level: 'error', retryAfter: 5 },
  'upstream-open': { status: 503, title: 'The upstream is being given time to recover', level: 'error', retryAfter: 5 },
  overloaded: { status: 503, title: 'The gateway is at its limit', level: 'error', retryAfter: 1 },
  'upstream-timeout': { status: 504, title: 'The upstream did not answer in time', level: 'error' },
} as const satisfies Record<string, RefusalKind>

export type RefusalCode = keyof typeof REFUSALS

/** The row of a code, seen through its interface rather than its literal. */
export function refusalKind(code: RefusalCode): RefusalKind {
  return REFUSALS[code]
}
