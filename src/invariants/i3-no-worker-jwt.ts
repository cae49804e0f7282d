import type { CredentialKind } from '../domain/plane.ts'
import { Refusal } from '../problem/refusal.ts'
import type { Place } from './place.ts'

/** I3 `no_worker_jwt`: worker paths take no JWT at all, a machine's included. Returns the kind that passed; looks at no signature. */
export function noWorkerJwt(place: Place, kind: CredentialKind | null): CredentialKind | null {
  if (place.worker && kind === 'jwt') throw new Refusal('worker-refuses-jwt', 'jwt-on-worker-path')
  return kind
}
