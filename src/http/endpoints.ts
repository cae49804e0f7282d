import type { Route } from '../domain/route.ts'

/** What an endpoint of the gateway itself answers. */
export interface EndpointAnswer {
  readonly status: number
  readonly contentType: string
  readonly cacheControl: string
  readonly body: string
}

/** A public endpoint of the gateway: a route like any other, decided by the same pipeline, but answered here instead of upstream. */
export interface Endpoint {
  readonly route: Route
  readonly answer: () => EndpointAnswer
}

/** The endpoints that there can be. Their ids cannot be declared in a route-plane file: they hold a colon. */
export const ENDPOINT_ROUTES = {
  jwks: endpointRoute('jwks', '/.well-known/jwks.json'),
  developmentJwks: endpointRoute('development-jwks', '/.well-known/development-jwks.json'),
  providerStatus: endpointRoute('provider-status', '/auth/provider/status'),
}

/** Public keys, for whoever verifies. Cached for five minutes: shorter than a rotation takes, longer than a burst of restarts. */
export function keySetEndpoint(route: Route, jwks: object): Endpoint {
  const answer = {
    status: 200,
    contentType: 'application/jwk-set+json',
    cacheControl: 'public, max-age=300',
    body: JSON.stringify(jwks),
  }
  return { route, answer: () => answer }
}

/** The provider status document, where everybody may read it. */
export function providerStatusEndpoint(status: () => object): Endpoint {
  return {
    route: ENDPOINT_ROUTES.providerStatus,
    answer: () => ({ status: 200, contentType: 'application/json', cacheControl: 'no-store', body: JSON.stringify(status()) }),
  }
}

function endpointRoute(name: string, path: string): Route {
  return {
    id: `planegate:${name}`,
    plane: 'PUBLIC',
    kind: 'user',
    hosts: [],
    methods: ['GET', 'HEAD'],
    path,
    stripPrefix: null,
    upstream: null,
    limits: [],
    require: null,
    cookies: [],
    cors: null,
    expiresAt: null,
    source: 'planegate',
  }
}
