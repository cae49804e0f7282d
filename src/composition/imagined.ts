import type { Gateway } from '../config/gateway.ts'
import type { Inbound } from '../domain/inbound.ts'
import type { Provider } from '../domain/provider.ts'
import type { Route } from '../domain/route.ts'
import type { ImaginedCaller, Outcome } from '../explain/imagined-caller.ts'
import { callersWith, type ImaginedCallers } from '../explain/imagined-callers.ts'
import { type Judgement, judge } from '../explain/imagined-judgement.ts'
import { type ImaginedRequest, requestHead } from '../explain/imagined-request.ts'
import { imaginedHeader, imaginedVerification, imaginedVerifiers, type PlaneByClaims } from '../explain/imagined-verifiers.ts'
import { STATELESS } from '../explain/imagined-world.ts'
import { clientAddressReader } from '../http/client-address.ts'
import { ENDPOINT_ROUTES } from '../http/endpoints.ts'
import { readRawRequest } from '../http/raw-request.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Clock } from '../ports/clock.ts'
import { apiKeyVerifier } from '../stores/api-keys/api-key-verifier.ts'
import { claimAt } from '../stores/jose/claim-values.ts'
import type { KeySet } from '../stores/jose/key-set.ts'
import { planeOf } from '../stores/jose/read-principal.ts'
import { TokenRejection } from '../stores/jose/token-rejection.ts'
import { tokenVerifier } from '../stores/jose/token-verifier.ts'
import { developmentIssuerOptions, developmentProvider } from '../tokens/development-issuer.ts'
import { generatedIdentityKeys } from '../tokens/identity-keys.ts'
import { afterwards } from './aftermath.ts'
import { pipelineOf } from './pipeline.ts'

/** A gateway that decides about requests which nobody sent, from callers whom nobody verified. */
export interface Imagination {
  /** Of the configuration, the built-in one included. */
  readonly providers: readonly Provider[]
  readonly publicHost: string
  /**
   * Decides about one request of `caller` (null: of somebody without a credential) at `at`, in milliseconds since the epoch (default: now). It is written as a
   * client would write it and read as the listener reads it, and what is granted comes to what the listener makes of it.
   */
  decideAs(request: ImaginedRequest, caller: ImaginedCaller | null, at?: number): Promise<Outcome>
  /** The same pipeline in another world: `world` takes the place of parts of it. */
  judge(inbound: Inbound, world: Partial<Pipeline>): Promise<Judgement>
  /** Every route that serves this host and path, by whatever method. */
  routesAt(host: string, path: string): readonly Route[]
}

/**
 * The pipeline of a configuration without anything that is kept outside it: no key is fetched, no database opened, no limit counts, nothing is revoked,
 * nothing is written down. A credential that a request brings by itself, besides its caller's, is judged by the real verifiers; they know no key.
 */
export function imagine(gateway: Gateway): Imagination {
  const providers = providersOf(gateway)
  const verifiers = verifiersWithoutKeys(gateway, providers)
  const pipeline = pipelineOf(gateway, {
    ...STATELESS,
    clock: clockAt(null),
    verifiers,
    identityKeys: generatedIdentityKeys(),
    issuers: providers.map(({ issuer }) => issuer),
    endpoints: endpointRoutesOf(gateway),
  })
  const publicHost = new URL(gateway.publicOrigin).host
  const { requestTimeout, maxBodySize, trustedProxies } = gateway.server
  const reading = { requestTimeout, readAddress: clientAddressReader(trustedProxies) }
  return {
    providers,
    publicHost,
    async decideAs(request, caller, at) {
      const credentials = caller === null ? [] : [imaginedHeader(caller.kind, gateway.apiKeyHeader)]
      const head = requestHead(request, publicHost, credentials)
      const raw = await readRawRequest(Buffer.from(head), request.address ?? '127.0.0.1', reading)
      const world = {
        ...pipeline,
        clock: clockAt(at ?? null),
        ...(caller !== null && {
          verifiers: imaginedVerifiers(() => imaginedVerification(caller, providers, planeByClaims), verifiers),
        }),
      }
      return (await judge(raw.inbound, world, (granted) => afterwards(granted, raw, maxBodySize))).outcome
    },
    judge: (inbound, world) => judge(inbound, { ...pipeline, ...world }),
    routesAt(host, path) {
      const target = { host, path, query: '' }
      return pipeline.routes.methodsFor(target).flatMap((method) => pipeline.routes.find(method, target) ?? [])
    },
  }
}

/** One caller of each kind who has everything that the route asks for; of a route that asks nothing, or of none, just a caller. */
export function callersFor(gateway: Gateway, route: Pick<Route, 'require'> | null): ImaginedCallers {
  return callersWith(route?.require ?? null, providersOf(gateway), gateway.roles)
}

/** The providers of a configuration, the built-in one included. Makes no key. */
export function providersOf(gateway: Gateway): readonly Provider[] {
  if (!gateway.developmentIssuer) return gateway.providers
  return [...gateway.providers, developmentProvider(developmentIssuerOptions(gateway))]
}

/** The gateway's own endpoints, as far as they are enabled. */
export function endpointRoutesOf({ developmentIssuer, providerStatusExposure }: Gateway): Route[] {
  const routes = [ENDPOINT_ROUTES.jwks]
  if (developmentIssuer) routes.push(ENDPOINT_ROUTES.developmentJwks)
  if (providerStatusExposure === 'public') routes.push(ENDPOINT_ROUTES.providerStatus)
  return routes
}

/** A clock that stands still; null: the real one. */
function clockAt(at: number | null): Clock {
  return { now: () => at ?? Date.now(), monotonic: () => 0 }
}

/** Gives what the claims say where they hold the claim that the provider reads; the words are those of the real verifier. */
export const planeByClaims: PlaneByClaims = (claims, provider) => {
  const own: Record<string, unknown> = Object.assign(Object.create(null), claims)
  if ('claim' in provider.plane && claimAt(own, provider.plane.claim) === undefined) return null
  try {
    return { plane: planeOf(own, provider) }
  } catch (error) {
    if (error instanceof TokenRejection) return { reason: error.reason }
    throw error
  }
}

function verifiersWithoutKeys({ environment }: Gateway, providers: readonly Provider[]): Pipeline['verifiers'] {
  const clock = clockAt(null)
  return {
    jwt: tokenVerifier({ providers, keySets: new Map(providers.map(({ name }) => [name, NO_KEYS])), clock }),
    'api-key': apiKeyVerifier({ store: { findApiKey: () => null }, environment, clock }),
  }
}

const NO_KEYS: KeySet = {
  find: () => 'signing-key-unknown',
  trusts: () => false,
  prepare: async () => {},
  fits: () => false,
  state: () => ({ keyIds: [], ageMs: null, lastFetchAt: null, lastError: null }),
  whenDropped: () => {},
  close: () => {},
}
