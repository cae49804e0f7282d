import type { ReasonOf } from '../../problem/reasons.ts'

/** A token that is not believed. `reason` is for operators; nothing of the token is in it. */
export class TokenRejection extends Error {
  override readonly name = 'TokenRejection'
  readonly reason: ReasonOf<'credential-invalid'>

  constructor(reason: ReasonOf<'credential-invalid'>) {
    // No stack: bad tokens are ordinary, frequent under attack, and explained by the reason.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(reason)
    Error.stackTraceLimit = limit
    this.reason = reason
  }
}
