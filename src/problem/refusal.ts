import type { Principal } from '../domain/credential.ts'
import type { Allowance } from '../domain/limit.ts'
import type { Ground, ReasonOf } from './reasons.ts'
import type { RefusalCode } from './refusals.ts'

/** One thing that is wrong with what was sent, in our own words: nothing of the value comes back. */
export interface FieldError {
  /** JSON pointer into the body (RFC 6901); empty: the request as a whole. */
  readonly path: string
  readonly message: string
}

/** What a refusal may add to its row of the table. */
export interface RefusalDetails {
  /** What went wrong underneath; for the log, never for the client. */
  readonly cause?: unknown
  /** What may be written down of the credential that was refused: a key's id, or a token's digest. */
  readonly credentialId?: string
  /** Whose credential was refused, where it had been verified; for the record, never for the client. */
  readonly principal?: Principal
  /** Scopes that would have sufficed (RFC 6750 section 3). */
  readonly scopes?: readonly string[]
  /** Methods that the path does have, for `Allow` (RFC 9110 section 10.2.1). */
  readonly allow?: readonly string[]
  /** The limit that ran out. */
  readonly allowance?: Allowance
  /** What is to be mended, for administrators: told to the client as `errors`. Never set on a route's request. */
  readonly errors?: readonly FieldError[]
}

/** A code, one of its own reasons, and what there is to add. */
type Given<Code extends RefusalCode = RefusalCode> = {
  readonly [C in Code]: readonly [code: C, reason: ReasonOf<C>, details?: RefusalDetails]
}[Code]

/**
 * A request that is not served. Thrown by whoever finds the reason, caught in `pipeline/adjudicate.ts` only.
 * The client sees `code` with its status and title; operators also see `reason` and the cause. A reason that `reasons.ts` does not list for the code
 * does not compile.
 */
export class Refusal extends Error {
  override readonly name = 'Refusal'
  readonly code: RefusalCode
  readonly reason: ReasonOf<RefusalCode>
  readonly details: RefusalDetails

  constructor(...[code, reason, details = {}]: Given) {
    // No stack: refusing is ordinary, frequent under attack, and explained by code and reason.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(`${code}: ${reason}`, details.cause === undefined ? undefined : { cause: details.cause })
    Error.stackTraceLimit = limit
    this.code = code
    this.reason = reason
    this.details = details
  }

  /** For code and reason that were found together elsewhere: in a table, or by a parser. */
  static for<Code extends RefusalCode>({ code, reason }: Ground<Code>, details: RefusalDetails = {}): Refusal {
    const given: Given<Code> = [code, reason, details]
    return new Refusal(...(given as Given))
  }

  /** Whether it is one with this code, so that its reason is one of those. */
  is<Code extends RefusalCode>(code: Code): this is Refusal & Ground<Code> {
    return this.code === code
  }
}

/** Any error as a refusal: what nobody foresaw is `internal`, never an allowance. */
export function asRefusal(error: unknown): Refusal {
  return error instanceof Refusal ? error : new Refusal('internal', 'unexpected-error', { cause: error })
}
