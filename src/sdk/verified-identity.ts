import { type Claims, optionalText, optionalTexts, record, requiredText, text, time, transaction } from './claims.ts'
import type { HumanAuthContext, IdentityContext, MachineCapabilityContext, VerifiedIdentity } from './identity-context.ts'

/**
 * An identity from claims whose signature, issuer, audience and times are verified already.
 *
 * @throws TypeError naming the first claim that is not of the form that the gateway writes
 */
export function identityFrom(claims: Claims): IdentityContext {
  const { plane, actor } = claims
  if (plane === 'HUMAN' && actor === 'human') return new Human(claims)
  if (plane === 'MACHINE' && (actor === 'service' || actor === 'agent')) return new Machine(claims, actor)
  throw new TypeError('unexpected "plane" or "actor" claim')
}

class Verified implements VerifiedIdentity {
  readonly subject: string
  readonly issuer: string | null
  readonly scopes: readonly string[]
  readonly roles: readonly string[]
  readonly accountId: string | null
  readonly teamId: string | null
  readonly clientId: string | null
  readonly delegation: Claims | null
  readonly transaction: VerifiedIdentity['transaction']
  readonly assertionId: string
  readonly #claims: Claims
  readonly #ext: Claims
  readonly #expires: number

  constructor(claims: Claims) {
    this.subject = requiredText(claims, 'sub')
    this.issuer = optionalText(claims, 'idp')
    this.scopes = text(claims, 'scope').split(' ').filter(Boolean)
    this.roles = optionalTexts(claims, 'roles')
    this.accountId = optionalText(claims, 'account_id')
    this.teamId = optionalText(claims, 'team_id')
    this.clientId = optionalText(claims, 'client_id')
    this.delegation = record(claims, 'act')
    this.transaction = transaction(claims)
    this.assertionId = requiredText(claims, 'jti')
    this.#expires = time(claims, 'exp') * 1000
    this.#ext = record(claims, 'ext') ?? {}
    this.#claims = claims
    freeze(claims)
    Object.freeze(this.scopes)
  }

  /** A new Date each time: a Date can be changed even inside a frozen object. */
  get expiresAt(): Date {
    return new Date(this.#expires)
  }

  hasScope(scope: string): boolean {
    return this.scopes.includes(scope)
  }

  hasAnyScope(...scopes: readonly string[]): boolean {
    return scopes.some((scope) => this.scopes.includes(scope))
  }

  isExpired(now: Date | number = Date.now()): boolean {
    // Not `now >= expires`: an invalid date must not read as "still good".
    return !(Number(now) < this.#expires)
  }

  claim(name: string): unknown {
    // Own properties only: `claim('constructor')` is not a claim.
    if (Object.hasOwn(this.#claims, name)) return this.#claims[name]
    return Object.hasOwn(this.#ext, name) ? this.#ext[name] : undefined
  }
}

class Human extends Verified implements HumanAuthContext {
  readonly plane = 'HUMAN'
  readonly actor = 'human'
  readonly session: string | null

  constructor(claims: Claims) {
    super(claims)
    this.session = optionalText(claims, 'sid')
    Object.freeze(this)
  }
}

class Machine extends Verified implements MachineCapabilityContext {
  readonly plane = 'MACHINE'
  readonly actor: 'service' | 'agent'

  constructor(claims: Claims, actor: 'service' | 'agent') {
    super(claims)
    this.actor = actor
    Object.freeze(this)
  }
}

/** All the way down: several requests share these objects, and one must not change what the next one sees. */
function freeze(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  for (const member of Object.values(value)) freeze(member)
  Object.freeze(value)
}
