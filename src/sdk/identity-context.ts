/** What every verified identity says. Frozen, because the requests of one session share it. */
export interface VerifiedIdentity {
  /** Who it is: `sub` of the client's token, or the owner of the API key. Unique together with `issuer` only. */
  readonly subject: string
  /** Issuer of the client's token; null for an API key. */
  readonly issuer: string | null
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly accountId: string | null
  readonly teamId: string | null
  /** Client that the token was issued to, or the id of the API key. */
  readonly clientId: string | null
  /** Delegation chain (`act`, RFC 8693 section 4.1): who acts for the subject. */
  readonly delegation: Readonly<Record<string, unknown>> | null
  /** The one request that a Txn-Token was made for, as the gateway saw it; null for an assertion of a session. */
  readonly transaction: { readonly id: string; readonly method: string; readonly route: string } | null
  /** Identifier of the assertion (`jti`), for logs. */
  readonly assertionId: string
  /** When the assertion ends, which is seconds away: long work keeps its own record of who asked for it. */
  readonly expiresAt: Date
  hasScope(scope: string): boolean
  /** Whether at least one is there; false for none asked. */
  hasAnyScope(...scopes: readonly string[]): boolean
  /** `now`: a date or milliseconds since the epoch; default: the present. */
  isExpired(now?: Date | number): boolean
  /** A claim by its name: of the assertion first, then one forwarded from the client's token (`ext`); undefined when neither has it. */
  claim(name: string): unknown
}

/** A person, through a token of a HUMAN provider. */
export interface HumanAuthContext extends VerifiedIdentity {
  readonly plane: 'HUMAN'
  readonly actor: 'human'
  /** Session (`sid`), unique within `issuer` only. */
  readonly session: string | null
}

/** A program: an API key, or a token of a MACHINE provider. */
export interface MachineCapabilityContext extends VerifiedIdentity {
  readonly plane: 'MACHINE'
  /** `agent`: a program that the gateway itself gave a token to. */
  readonly actor: 'service' | 'agent'
}

/** Told apart by `plane`. */
export type IdentityContext = HumanAuthContext | MachineCapabilityContext
