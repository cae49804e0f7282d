/**
 * `identity-missing`: the request carries no assertion. `identity-invalid`: it carries one that is not to be believed. `identity-expired`:
 * it was genuine, and its time is over. `keys-unavailable`: the gateway's keys could not be had, so nobody can tell.
 */
export type IdentityErrorCode = 'identity-missing' | 'identity-invalid' | 'identity-expired' | 'keys-unavailable'

const TITLES: Readonly<Record<IdentityErrorCode, string>> = {
  'identity-missing': 'The request carries no identity',
  'identity-invalid': 'The identity is not valid',
  'identity-expired': 'The identity has expired',
  'keys-unavailable': 'The identity cannot be verified at the moment',
}

/** Why a request has no identity. `message` is for the service's own log; it never holds the assertion or its claims. */
export class IdentityError extends Error {
  override readonly name = 'IdentityError'
  readonly code: IdentityErrorCode
  /** 401, or 503 for `keys-unavailable`: then the request is not at fault. */
  readonly status: 401 | 503

  constructor(code: IdentityErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options)
    this.code = code
    this.status = code === 'keys-unavailable' ? 503 : 401
  }
}

export interface IdentityProblem {
  readonly status: 401 | 503
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** The error as `application/problem+json` (RFC 9457), for the caller: says which of the four it was and no more. */
export function identityProblem({ code, status }: IdentityError): IdentityProblem {
  const body = JSON.stringify({ type: `urn:planegate:problem:${code}`, title: TITLES[code], status, code })
  const headers = { 'content-type': 'application/problem+json', 'cache-control': 'no-store' }
  // RFC 9110 section 15.5.2: a 401 names a scheme. This one is answered by going through the gateway, not by a credential.
  const more = status === 401 ? { 'www-authenticate': 'Planegate' } : { 'retry-after': '5' }
  return { status, headers: { ...headers, ...more }, body }
}
