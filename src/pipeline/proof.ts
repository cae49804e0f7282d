import type { Evidence } from '../domain/evidence.ts'

/** The stages, in the order of `decide.ts`, which is the order in which a request meets them. */
export const STAGES = [
  'takeAddressAllowance',
  'refuseAmbiguity',
  'matchRoute',
  'readCredential',
  'matchKind',
  'checkOrigin',
  'refuseGuessing',
  'verify',
  'checkRevocation',
  'takeAllowances',
  'authorize',
  'vouch',
] as const

export type Stage = (typeof STAGES)[number]

/**
 * What a stage returns: the facts so far, and by its type the proof that this stage agreed to them. Each stage has a subclass with a protected member,
 * which no other class can stand in for, and exports only its type: nobody else can make one.
 */
export abstract class Proof<Facts extends Evidence> {
  readonly facts: Facts
  protected abstract readonly stage: Stage

  constructor(facts: Facts) {
    this.facts = facts
  }

  /** The stage that agreed, for whoever tells of it. A proof is asked for by its class, never by this. */
  get givenBy(): Stage {
    return this.stage
  }
}
