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

/** A PUBLIC route to the gateway itself. Its id cannot be declared in a route-plane file: it holds a colon. */
export function endpointRoute(name: string, path: string): Route {
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
    expiresAt: null,
    source: 'planegate',
  }
}

/** Public keys, for whoever verifies. Cached for five minutes: shorter than a rotation takes, longer than a burst of restarts. */
export function keySetEndpoint(name: string, path: string, jwks: () => object): Endpoint {
  return {
    route: endpointRoute(name, path),
    answer: () => ({
      status: 200,
      contentType: 'application/jwk-set+json',
      cacheControl: 'public, max-age=300',
      body: JSON.stringify(jwks()),
    }),
  }
}
