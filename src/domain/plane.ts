/** Who a route is for. `PUBLIC` takes no credential at all; the others need exactly one. */
export type Plane = 'HUMAN_ONLY' | 'MACHINE_ONLY' | 'BOTH' | 'PUBLIC'

/** Which side a verified credential speaks for. */
export type CredentialPlane = 'HUMAN' | 'MACHINE'

export type CredentialKind = 'jwt' | 'api-key'

/** What kind of work a route does: `worker` takes only API keys (I3), `admin` takes no API key (I4). */
export type RouteKind = 'user' | 'worker' | 'admin'

const ADMITTED: Readonly<Record<Plane, readonly CredentialPlane[]>> = {
  HUMAN_ONLY: ['HUMAN'],
  MACHINE_ONLY: ['MACHINE'],
  BOTH: ['HUMAN', 'MACHINE'],
  PUBLIC: [],
}

/** Whether a credential of this plane fits a route of that plane (I2). Says nothing about what it may do there. */
export function planeAdmits(route: Plane, credential: CredentialPlane): boolean {
  return ADMITTED[route].includes(credential)
}
