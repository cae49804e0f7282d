import { existsSync } from 'node:fs'
import type { Gateway } from '../config/gateway.ts'
import { valuesOf } from '../domain/raw-headers.ts'
import { type Explaining, type Explanation, explain } from '../explain/explanation.ts'
import { STATELESS } from '../explain/imagined-world.ts'
import type { Row } from '../explain/row.ts'
import { scrubbed } from '../explain/scrubbed.ts'
import type { World } from '../explain/step.ts'
import type { Trace } from '../explain/trace.ts'
import { clientAddressReader } from '../http/client-address.ts'
import { type RawRequest, readRawRequest } from '../http/raw-request.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Clock } from '../ports/clock.ts'
import { apiKeyVerifier } from '../stores/api-keys/api-key-verifier.ts'
import { generatedIdentityKeys, IdentityKeyError, type IdentityKeys, loadIdentityKeys } from '../tokens/identity-keys.ts'
import { afterwards } from './aftermath.ts'
import { type ExploredStore, exploreStore } from './explained-store.ts'
import { callersFor, endpointRoutesOf, type Imagination, imagine, providersOf } from './imagined.ts'
import { pipelineOf } from './pipeline.ts'
import { trustIn } from './trust.ts'

/** Tells how a gateway of this configuration would decide, and why. */
export interface Explainer {
  /** The first request in these bytes, as it would be read from a connection of `address`. */
  explain(bytes: Uint8Array, address: string): Promise<Explanation>
  close(): Promise<void>
}

/**
 * The one pipeline of a configuration, with the real providers (their keys are fetched, in the gateway's own time limits) and the real database, but
 * nothing is written, counted or recorded. Throws `DatabaseUnusable` and `store-unavailable`.
 */
export async function openExplainer(gateway: Gateway): Promise<Explainer> {
  const clock: Clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const store = await exploreStore(gateway, clock)
  const providers = providersOf(gateway)
  const trust = trustIn(providers, clock, UNMEASURED, gateway.revocation.retention)
  const identity = identityKeysOf(gateway)
  const pipeline = pipelineOf(gateway, {
    ...STATELESS,
    clock,
    identityKeys: identity.keys,
    issuers: providers.map(({ issuer }) => issuer),
    endpoints: endpointRoutesOf(gateway),
    verifiers: {
      jwt: trust.tokens,
      'api-key': apiKeyVerifier({ store: store.credentials, environment: gateway.environment, clock }),
    },
    revocations: store.revocations,
  })
  const world = worldOf(gateway, pipeline, store)
  const imagination = imagine(gateway)
  const readAddress = clientAddressReader(gateway.server.trustedProxies)
  const standing = [...store.notes, ...identity.notes, ...providers.flatMap(keyNotes), ...limitNotes(gateway)]
  return {
    async explain(bytes, address) {
      const raw = await readRawRequest(bytes, address, { requestTimeout: gateway.server.requestTimeout, readAddress })
      const explaining: Explaining = {
        world,
        afterwards: (granted) => afterwards(granted, raw, gateway.server.maxBodySize),
        rowOf: (explained) => rowOf(explained, gateway, imagination),
        notesOn: (explained) => [...standing, ...notesOn(explained, raw)],
      }
      return scrubbed(await explain(raw.inbound, explaining), raw.inbound.rawHeaders, pipeline.classifyHeader)
    },
    async close() {
      trust.close()
      await store.close()
    },
  }
}

const UNMEASURED = { jwksFetch: () => {}, providerReady: () => {}, tokenCache: () => {} }

function identityKeysOf({ identity }: Gateway): { keys: IdentityKeys; notes: string[] } {
  try {
    return { keys: loadIdentityKeys(identity), notes: [] }
  } catch (error) {
    if (!(error instanceof IdentityKeyError)) throw error
    const notes = error.faults.map(({ sentence }) => `A key made for this once stands in for the identity key: ${sentence}.`)
    return { keys: generatedIdentityKeys(), notes }
  }
}

function worldOf(gateway: Gateway, pipeline: Pipeline, store: ExploredStore): World {
  const lines = new Map(gateway.routes.map((route) => [route.id, route.lines]))
  const places = (patterns: readonly string[], sources: readonly string[]) =>
    patterns.map((pattern, index) => ({ pattern, source: sources[index] ?? '' }))
  return {
    pipeline,
    providers: providersOf(gateway),
    upstreams: new Map(gateway.upstreams.map((upstream) => [upstream.name, upstream])),
    routes: gateway.routes,
    sourcesOf: (route) => lines.get(route.id) ?? null,
    workerPaths: places(gateway.workerPaths, gateway.lines.workerPaths),
    adminPaths: places(gateway.adminPaths, gateway.lines.adminPaths),
    maxBodySizeSource: gateway.lines.maxBodySize,
    store: store.text,
  }
}

/** Headers that have a part in the decision and say nothing of the caller: which page it comes from, and which way it took. */
const ROW_HEADERS = [
  'origin',
  'access-control-request-method',
  'access-control-request-headers',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
]

/** The same method and path, asked by others: by whoever has everything that the rule asks for. */
async function rowOf({ inbound, evidence }: Trace, gateway: Gateway, imagination: Imagination): Promise<Row | null> {
  const { method, target, rawHeaders, upgrade, origin, malformed } = inbound
  if (malformed !== null) return null
  const [host] = valuesOf(rawHeaders, 'host')
  const [path = ''] = target.split('?')
  const headers = ROW_HEADERS.flatMap((name) => valuesOf(rawHeaders, name).map((value) => [name, value] as const))
  const address = origin.addresses.at(-1) ?? inbound.clientAddress
  const request = { method, target: path, ...(host === undefined ? {} : { host }), headers, address, upgrade }
  const callers = callersFor(gateway, evidence.route ?? null)
  const verdict = async (caller: Parameters<Imagination['decideAs']>[1]) =>
    (await imagination.decideAs(request, caller)).code ?? 'allow'
  return {
    human: await verdict(callers.human),
    machineJwt: await verdict(callers.machineJwt),
    apiKey: await verdict(callers.apiKey),
    nobody: await verdict(null),
  }
}

function keyNotes({ name, keys }: World['providers'][number]): string[] {
  if (name !== 'development' || keys.from !== 'file' || existsSync(keys.path)) return []
  return ['The development issuer has no key yet: "planegate dev-token" or "planegate serve" makes one.']
}

function limitNotes({ limits }: Gateway): string[] {
  return limits.length === 0 ? [] : ['Limits are not counted here: a running gateway may refuse with rate-limited as well.']
}

function notesOn({ inbound }: Trace, { broken, followed }: RawRequest): string[] {
  const notes: string[] = []
  const { malformed, rawHeaders, origin } = inbound
  if (malformed?.reason === 'incomplete')
    notes.push(
      'The head does not end with an empty line: it was read as if the client had hung up there. Left waiting, it would be request-timeout.',
    )
  if (broken !== null) notes.push('The head is sound; the parser gave up in the body.')
  if (followed) notes.push('More bytes follow the first request; they are not explained.')
  if (
    origin.addresses.length === 1 &&
    [...valuesOf(rawHeaders, 'x-forwarded-for'), ...valuesOf(rawHeaders, 'forwarded')].length > 0
  )
    notes.push('What X-Forwarded-For or Forwarded says is not believed: server.trustedProxies does not name the peer.')
  return notes
}
