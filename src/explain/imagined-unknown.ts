/**
 * Why a decision cannot be made again from what was written down of it. A closed set: `planegate replay` counts by these words.
 */
export const UNTOLD = {
  'no-path': 'refused before it had a path, so it cannot be sent again',
  'path-not-whole': 'the recorded path was cut, or a credential was taken out of it',
  'host-not-recorded': 'the configuration asks for hosts, and an older version did not record them',
  'limits-are-state': 'a limit decided, and what was left of it then is not recorded',
  'revocations-are-state': 'a revocation decided, and what was revoked then is not recorded',
  'gateway-failed': 'the gateway itself had failed',
  'several-credentials': 'it carried several credentials, and which ones is not recorded',
  'credential-not-recorded': 'refused before its credential was read',
  'credential-not-verified': 'its credential was not verified then, and would be now',
  'caller-not-recorded': 'its credential was verified, but an older version did not record whose it is',
  'provider-changed': 'its provider is declared otherwise than before, so it may be verified otherwise',
  'api-key-header-changed': 'API keys come in another header than before, and whoever asked may not have changed it',
  'database-changed': 'API keys are in another database than before',
  'proxies-changed': 'other proxies are believed than before, and what they reported is not recorded',
  'body-size-changed': 'smaller bodies are refused than before, and how long its body was is not recorded',
  'scopes-not-recorded': 'the rule asks for scopes, which are not in the record',
  'roles-not-recorded': 'the rule asks for roles, which are not in the record',
  'claims-not-recorded': 'the rule asks for claims, which no record holds',
  'origin-not-recorded': 'the rule asks which page it comes from, which no record holds',
} as const

export type UntoldReason = keyof typeof UNTOLD

/** A decision came to a point where it hangs on what is not known. Not a refusal: nobody is to take it for one. */
export class NotTold extends Error {
  override readonly name = 'NotTold'
  readonly reason: UntoldReason

  constructor(reason: UntoldReason) {
    // No stack: a log of millions may hold nothing else.
    const limit = Error.stackTraceLimit
    Error.stackTraceLimit = 0
    super(UNTOLD[reason])
    Error.stackTraceLimit = limit
    this.reason = reason
  }
}

/** Stands for a list that is not known: may be carried around, and throws `NotTold` as soon as somebody looks into it. */
export function unknownList(reason: UntoldReason): readonly string[] {
  return untouchable<readonly string[]>([], reason)
}

/** The same for claims. */
export function unknownClaims(reason: UntoldReason): Readonly<Record<string, unknown>> {
  return untouchable<Record<string, unknown>>({}, reason)
}

function untouchable<T extends object>(target: T, reason: UntoldReason): T {
  const look = () => {
    throw new NotTold(reason)
  }
  return new Proxy(target, { get: look, has: look, ownKeys: look, getOwnPropertyDescriptor: look })
}
