import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import type { Provider } from '../../../src/domain/provider.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { keySetsOf } from '../../../src/stores/jose/key-sets.ts'
import type { KeySetTimes } from '../../../src/stores/jose/loaded-key-set.ts'
import { type TokenVerifier, tokenVerifier } from '../../../src/stores/jose/token-verifier.ts'
import type { TokenContext } from '../../attack/bad-tokens.ts'
import { forgingKey, publicJwk } from '../../attack/forge.ts'

export const AUDIENCE = 'https://api.example.com'

/** A clock that stands until it is moved. */
export function fakeClock(at = 1_800_000_000_000): Clock & { advance(ms: number): void } {
  let passed = 0
  return {
    now: () => at + passed,
    monotonic: () => passed,
    advance(ms) {
      passed += ms
    },
  }
}

/** A token issuer on a port of its own, closed at the end of the test. */
export interface TestIssuer {
  readonly origin: string
  /** Requests so far, as paths. */
  readonly requests: string[]
  /** Answers every request from now on. */
  answer(listener: RequestListener): void
  /** Publishes these keys at `/jwks.json`, and metadata that leads there. */
  publish(keys: readonly object[]): void
  /** Stops listening: connections are refused. */
  stop(): Promise<void>
}

export async function openIssuer(test: TestContext): Promise<TestIssuer> {
  const requests: string[] = []
  let listener: RequestListener = (_request, response) => response.writeHead(404).end()
  const server = createServer((request, response) => {
    requests.push(request.url ?? '')
    return listener(request, response)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const stop = () =>
    new Promise<void>((stopped) => {
      server.close(() => stopped())
      server.closeAllConnections()
    })
  test.after(stop)
  return {
    origin,
    requests,
    stop,
    answer(next) {
      listener = next
    },
    publish(keys) {
      listener = (request, response) => publishing(origin, keys, request, response)
    },
  }
}

function publishing(origin: string, keys: readonly object[], request: IncomingMessage, response: ServerResponse): void {
  if (request.url === '/jwks.json') json(response, { keys })
  else if (request.url === '/.well-known/openid-configuration')
    json(response, { issuer: origin, jwks_uri: `${origin}/jwks.json` })
  else response.writeHead(404).end()
}

export function json(response: ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(body))
}

/** A provider as the bad tokens need it, its keys at `/jwks.json` of the issuer. */
export function providerOf(origin: string, change: Partial<Provider> = {}): Provider {
  return {
    name: 'test',
    issuer: origin,
    plane: { claim: 'plane', human: ['human'], machine: ['machine'] },
    audiences: [AUDIENCE],
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    keys: { from: 'url', url: `${origin}/jwks.json` },
    types: ['at+jwt', 'JWT'],
    clockSkew: 30_000,
    requiredClaims: ['sub', 'sid'],
    claims: { subject: 'sub', session: 'sid', scopes: 'scope', roles: 'roles', account: 'account_id', team: 'team_id' },
    source: 'gateway.yaml:1',
    ...change,
  }
}

const KEYS = {
  RS256: forgingKey('RS256', 'rsa-1'),
  ES256: forgingKey('ES256', 'ec-1'),
  EdDSA: forgingKey('EdDSA', 'ed-1'),
}
const ENCRYPTION_KEY = forgingKey('RS256', 'enc-1')
const FOREIGN_KEY = forgingKey('RS256', 'foreign-1')

/** What the issuer publishes. */
export const PUBLISHED = [...Object.values(KEYS).map((key) => publicJwk(key)), publicJwk(ENCRYPTION_KEY, { use: 'enc' })]
export const FOREIGN_PUBLISHED = [publicJwk(FOREIGN_KEY)]

export function tokenContext(issuer: string, clock: Clock): TokenContext {
  const now = () => Math.floor(clock.now() / 1000)
  return { issuer, audience: AUDIENCE, now, keys: KEYS, encryptionKey: ENCRYPTION_KEY, foreignKey: FOREIGN_KEY }
}

export interface VerifierFixture {
  readonly verifier: TokenVerifier
  readonly keySets: ReturnType<typeof keySetsOf>
  readonly cache: { hit: number; miss: number }
}

/** A verifier of these providers, its key sets closed at the end of the test. */
export function openVerifier(
  test: TestContext,
  options: { providers: readonly Provider[]; clock: Clock; cacheSize?: number; times?: Partial<KeySetTimes> },
): VerifierFixture {
  const { providers, clock, cacheSize, times } = options
  const keySets = keySetsOf(providers, { clock, ...(times && { times }) })
  test.after(() => {
    for (const keySet of keySets.values()) keySet.close()
  })
  const cache = { hit: 0, miss: 0 }
  const onCache = (result: 'hit' | 'miss') => {
    cache[result] += 1
  }
  return {
    keySets,
    cache,
    verifier: tokenVerifier({ providers, keySets, clock, onCache, ...(cacheSize !== undefined && { cacheSize }) }),
  }
}
