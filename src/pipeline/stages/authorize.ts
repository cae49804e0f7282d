import type { Principal } from '../../domain/credential.ts'
import type { Known } from '../../domain/evidence.ts'
import type { Requirement } from '../../domain/route.ts'
import type { ReasonOf } from '../../problem/reasons.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Admitted } from './take-allowances.ts'

/** Proof that the principal may do what the route does. */
class Authorized extends Proof<Known> {
  protected readonly stage = 'authorize'
}

export type { Authorized }

/** Holds the principal against everything the route requires. Absent: any verified actor of the plane. */
export function authorize(admitted: Admitted, { roles }: Pick<Pipeline, 'roles'>): Authorized {
  const { principal, route } = admitted.facts
  if (principal === null || route.require === null) return new Authorized(admitted.facts)
  const { require } = route
  if (!require.scopes.every((scope) => principal.scopes.includes(scope))) throw missingScope('scopes', require.scopes)
  if (!satisfiesAny(require.anyScope, principal.scopes)) throw missingScope('any-scope', require.anyScope)
  if (!satisfiesAny(require.roles, principal.roles)) throw new Refusal('policy-denied', 'roles')
  if (!hasPermissions(require, principal, roles)) throw new Refusal('policy-denied', 'permissions')
  if (!satisfiesAny(require.actors, [principal.actor])) throw new Refusal('policy-denied', 'actor')
  if (!hasClaims(require, principal)) throw new Refusal('policy-denied', 'claims')
  return new Authorized(admitted.facts)
}

function missingScope(reason: ReasonOf<'scope-insufficient'>, scopes: readonly string[]): Refusal {
  return new Refusal('scope-insufficient', reason, { scopes })
}

function satisfiesAny(wanted: readonly string[], held: readonly string[]): boolean {
  return wanted.length === 0 || wanted.some((one) => held.includes(one))
}

function hasPermissions({ permissions }: Requirement, principal: Principal, roles: Pipeline['roles']): boolean {
  return permissions.every((permission) => principal.roles.some((role) => roles.get(role)?.has(permission) === true))
}

/** Exact values only: a claim that is a list does not match one of its members. */
function hasClaims({ claims }: Requirement, principal: Principal): boolean {
  return Object.entries(claims).every(
    ([name, wanted]) => Object.hasOwn(principal.claims, name) && sameValue(principal.claims[name], wanted),
  )
}

function sameValue(held: unknown, wanted: unknown): boolean {
  if (held === wanted) return true
  if (typeof held !== 'object' || typeof wanted !== 'object' || held === null || wanted === null) return false
  if (Array.isArray(held) !== Array.isArray(wanted)) return false
  const names = Object.keys(held)
  if (names.length !== Object.keys(wanted).length) return false
  return names.every((name) => Object.hasOwn(wanted, name) && sameValue(Reflect.get(held, name), Reflect.get(wanted, name)))
}
