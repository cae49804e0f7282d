import type { Principal } from '../domain/credential.ts'
import { type CredentialKind, type Plane, planeAdmits } from '../domain/plane.ts'
import { Refusal } from '../problem/refusal.ts'

/**
 * I2 `plane_match`, the half that needs no key: an API key on a HUMAN_ONLY route is refused by its kind, before any lookup, so that the
 * answer tells nothing about the key. Returns the kind that passed.
 */
export function planeMatchesKind(plane: Plane, kind: CredentialKind): CredentialKind {
  if (kind === 'api-key' && !planeAdmits(plane, 'MACHINE')) throw new Refusal('plane-mismatch', 'api-key-on-human-route')
  return kind
}

/** I2 `plane_match`, the rest: a JWT's plane is known only once it is verified. Returns the principal that passed. */
export function planeMatchesPrincipal(plane: Plane, principal: Principal): Principal {
  if (!planeAdmits(plane, principal.plane)) {
    const reason = principal.plane === 'HUMAN' ? 'human-on-machine-route' : 'machine-on-human-route'
    throw new Refusal('plane-mismatch', reason, { principal })
  }
  return principal
}
