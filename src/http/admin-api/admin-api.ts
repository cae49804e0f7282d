import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { KeyDesk } from '../../admin/key-desk.ts'
import { isApiKeyId } from '../../domain/key-fields.ts'
import type { Secret } from '../../domain/secret.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Limiter } from '../../ports/limiter.ts'
import type { RevocationRegistry } from '../../ports/revocation-registry.ts'
import { Refusal } from '../../problem/refusal.ts'
import { addressOf } from '../admin-refusals.ts'
import { admission } from './admission.ts'
import { keyPerformers } from './keys.ts'
import { openApiDocument } from './openapi.ts'
import { ADMIN_API, type Asked, OPERATIONS, type Operation, type OperationId, type Perform } from './operations.ts'
import { revocationPerformers } from './revocations.ts'
import type { Schema } from './schema.ts'
import { onRecord } from './settlement.ts'

/** Bytes of a body. The longest order that the schemas admit is shorter. */
const BODY_LIMIT = 65_536

/** What the admin API works with. */
export interface AdminApiOptions {
  readonly token: Secret
  readonly keys: KeyDesk
  readonly revocations: RevocationRegistry
  /** Resolves once the audit records of all changes made so far are on disk. */
  readonly settled: () => Promise<void>
  readonly limiter: Limiter
  readonly clock: Clock
  readonly isNetwork: (text: string) => boolean
  /** Milliseconds that a change may wait for its audit record before that is said instead. */
  readonly patience?: number
}

/**
 * Keys and revocations, for whoever bears the admin token. Register it with the prefix `ADMIN_API`: its hook then comes before everything below that,
 * what does not exist included, so nothing is told to anybody else.
 */
export async function adminApi(api: FastifyInstance, options: AdminApiOptions): Promise<void> {
  const admit = admission(options)
  api.addHook('onRequest', async (request, reply) => {
    reply.header('x-request-id', request.id)
    await admit(request.raw.rawHeaders, addressOf(request.raw))
    if (request.is404) throw unknownPlace(request)
  })
  api.setNotFoundHandler((request) => {
    throw unknownPlace(request)
  })
  takeOnlyJson(api)
  const performers: { readonly [Id in OperationId]: Perform<Id> } = {
    ...keyPerformers(options.keys, options.clock),
    ...revocationPerformers(options.revocations, options.clock),
    describe: constant(openApiDocument()),
  }
  for (const id of Object.keys(OPERATIONS) as OperationId[])
    open(api, OPERATIONS[id], performers[id] as Perform<OperationId>, options)
}

function open(api: FastifyInstance, operation: Operation, perform: Perform<OperationId>, options: AdminApiOptions): void {
  const { method, path, body, status, answer, made } = operation
  const record = onRecord(options.settled, options.patience)
  api.route({
    method,
    url: path.replace(/\{(\w+)\}/g, ':$1'),
    bodyLimit: BODY_LIMIT,
    schema: { querystring: NO_QUERY, ...(body !== null && { body }), response: { [status]: answer } },
    async handler(request, reply) {
      const { id } = request.params as { id?: string }
      // No key has such an id; a whole key in its place must get no further.
      if (id !== undefined && !isApiKeyId(id)) throw new Refusal('key-unknown', 'key-id-malformed')
      const asked = { id: id ?? '', body: request.body ?? (body === null ? null : {}), by: `admin-api ${addressOf(request.raw)}` }
      const done = await perform(asked as Asked<OperationId>)
      if (made !== null) await record(made)
      return reply.code(status).send(done)
    },
  })
}

const NO_QUERY: Schema = { type: 'object', description: 'a query', additionalProperties: false, properties: {} }

/** A body is JSON or refused. An empty one is none, also where its type is named. */
function takeOnlyJson(api: FastifyInstance): void {
  const parse = api.getDefaultJsonParser('error', 'error')
  api.removeAllContentTypeParsers()
  api.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body: string, done) => {
    if (body === '') done(null, undefined)
    else parse(request, body, done)
  })
}

function unknownPlace({ raw, method }: FastifyRequest): Refusal {
  const path = (raw.url ?? '').split('?')[0]?.slice(ADMIN_API.length).split('/') ?? []
  const allow = Object.values<Operation>(OPERATIONS).flatMap((operation) =>
    fits(operation.path, path) ? (operation.method === 'GET' ? ['GET', 'HEAD'] : [operation.method]) : [],
  )
  if (allow.length === 0 || allow.includes(method)) return new Refusal('route-unknown', 'admin-path-unknown')
  return new Refusal('method-not-allowed', 'admin-method-unknown', { allow })
}

function fits(pattern: string, path: readonly string[]): boolean {
  const segments = pattern.split('/')
  return segments.length === path.length && segments.every((segment, index) => segment === path[index] || segment === '{id}')
}

function constant(document: object): Perform<'describe'> {
  return async () => document as never
}
