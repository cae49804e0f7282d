import type { Evidence } from '../domain/evidence.ts'

/**
 * What a stage returns: the facts so far, and by its type the proof that this stage agreed to them. Each stage has a subclass with a protected member,
 * which no other class can stand in for, and exports only its type: nobody else can make one.
 */
export abstract class Proof<Facts extends Evidence> {
  readonly facts: Facts

  constructor(facts: Facts) {
    this.facts = facts
  }
}
