import type { CredentialKind } from '../domain/plane.ts'
import { Refusal } from '../problem/refusal.ts'
import type { Place } from './place.ts'

/** I4 `admin_no_api_key`: admin paths take no API key. Returns the kind that passed; looks nothing up. */
export function adminNoApiKey(place: Place, kind: CredentialKind | null): CredentialKind | null {
  if (place.admin && kind === 'api-key') throw new Refusal('admin-refuses-api-key', 'api-key-on-admin-path')
  return kind
}
