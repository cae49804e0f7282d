import type { Ground } from '../problem/reasons.ts'
import { Refusal } from '../problem/refusal.ts'

/** While no connection stood, so that not a byte had been sent. What is not listed is a failed TLS handshake or another socket error. */
const BEFORE_CONNECTION: Readonly<Record<string, Ground>> = {
  ECONNREFUSED: { code: 'upstream-unreachable', reason: 'connection-refused' },
  ENOTFOUND: { code: 'upstream-unreachable', reason: 'name-unresolved' },
  EAI_AGAIN: { code: 'upstream-unreachable', reason: 'name-unresolved' },
  ETIMEDOUT: { code: 'upstream-unreachable', reason: 'connect-timeout' },
  UND_ERR_CONNECT_TIMEOUT: { code: 'upstream-unreachable', reason: 'connect-timeout' },
  EMFILE: { code: 'overloaded', reason: 'out-of-descriptors' },
  ENFILE: { code: 'overloaded', reason: 'out-of-descriptors' },
  UND_ERR_CLOSED: { code: 'overloaded', reason: 'gateway-stopping' },
  UND_ERR_DESTROYED: { code: 'overloaded', reason: 'gateway-stopping' },
  UND_ERR_INVALID_ARG: { code: 'internal', reason: 'request-unsendable' },
  UND_ERR_NOT_SUPPORTED: { code: 'internal', reason: 'request-unsendable' },
}

/** Once the request was on its way. What is not listed was an answer that is no HTTP response. */
const AFTER_CONNECTION: Readonly<Record<string, Ground>> = {
  UND_ERR_SOCKET: { code: 'upstream-invalid', reason: 'connection-closed' },
  ECONNRESET: { code: 'upstream-invalid', reason: 'connection-reset' },
  EPIPE: { code: 'upstream-invalid', reason: 'connection-reset' },
  ETIMEDOUT: { code: 'upstream-timeout', reason: 'connection-timed-out' },
  UND_ERR_HEADERS_OVERFLOW: { code: 'upstream-invalid', reason: 'headers-too-large' },
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: { code: 'upstream-invalid', reason: 'length-mismatch' },
  UND_ERR_REQ_CONTENT_LENGTH_MISMATCH: { code: 'request-malformed', reason: 'length-mismatch' },
  UND_ERR_DESTROYED: { code: 'overloaded', reason: 'gateway-stopping' },
}

const CERTIFICATE = /CERT|TLS|SSL|ISSUER|SIGNATURE/

/** Whether another target may be tried: the connection itself failed, and not for a reason of the gateway's own. */
export function isConnectFailure(error: unknown): boolean {
  return connectFailure(codeOf(error)).code === 'upstream-unreachable'
}

/** What the client is told of a failed call. Matched by the error's code, never by its text. `connected`: bytes may have been sent. */
export function refusalOf(error: unknown, connected: boolean): Refusal {
  if (error instanceof Refusal) return error
  const code = codeOf(error)
  const failure: Ground = connected
    ? (AFTER_CONNECTION[code] ?? { code: 'upstream-invalid', reason: 'response-unparsable' })
    : connectFailure(code)
  // A parser's error holds the bytes that it stumbled over; they may be anybody's, so only its code goes on.
  return Refusal.for(failure, { cause: code.startsWith('HPE_') ? code : error })
}

function connectFailure(code: string): Ground {
  const failure = BEFORE_CONNECTION[code]
  if (failure !== undefined) return failure
  return { code: 'upstream-unreachable', reason: CERTIFICATE.test(code) ? 'tls-untrusted' : 'connect-failed' }
}

function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null || !('code' in error)) return ''
  return typeof error.code === 'string' ? error.code : ''
}
