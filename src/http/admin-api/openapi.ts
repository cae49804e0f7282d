import { REFUSALS, type RefusalCode } from '../../problem/refusals.ts'
import { KEY, KEY_ORDER, KEYS, NEW_KEY, ROTATION_ORDER, SUCCESSOR } from './key-schemas.ts'
import { ADMIN_API, OPERATIONS, type Operation } from './operations.ts'
import { REVOCATION, REVOCATION_ORDER, REVOCATIONS } from './revocation-schemas.ts'
import type { Schema } from './schema.ts'

/** What every request can be refused with. */
const ANY: readonly RefusalCode[] = [
  'request-malformed',
  'credential-ambiguous',
  'credential-missing',
  'credential-invalid',
  'request-timeout',
  'rate-limited',
  'internal',
  'limiter-unavailable',
  'store-unavailable',
]
const WITH_BODY: readonly RefusalCode[] = ['body-too-large']
const CHANGING: readonly RefusalCode[] = ['audit-unavailable']

const PROBLEM: Schema = {
  type: 'object',
  description: 'A refusal (RFC 9457).',
  properties: {
    type: { type: 'string', description: 'urn:planegate:problem: and the code' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(REFUSALS) },
    requestId: { type: 'string', description: 'as in X-Request-Id and in the log' },
    errors: {
      type: 'array',
      description: 'what is to be mended, where that can be told; values are not repeated',
      items: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'JSON pointer into the body; empty: the request as a whole' },
          message: { type: 'string' },
        },
        required: ['path', 'message'],
      },
    },
  },
  required: ['type', 'title', 'status', 'code', 'requestId'],
}

/** Schemas that have a name of their own in the description. */
const NAMED = new Map<Schema, string>([
  [KEY_ORDER, 'KeyOrder'],
  [ROTATION_ORDER, 'RotationOrder'],
  [KEY, 'Key'],
  [KEYS, 'Keys'],
  [NEW_KEY, 'NewKey'],
  [SUCCESSOR, 'Successor'],
  [REVOCATION_ORDER, 'RevocationOrder'],
  [REVOCATION, 'Revocation'],
  [REVOCATIONS, 'Revocations'],
  [PROBLEM, 'Problem'],
])

/** The admin API in the words of OpenAPI 3.1, made from the schemas that requests are validated with and answers are written by. */
export function openApiDocument(): object {
  const paths: Record<string, Record<string, object>> = {}
  for (const [operationId, operation] of Object.entries<Operation>(OPERATIONS)) {
    const path = `${ADMIN_API}${operation.path}`
    paths[path] = { ...paths[path], [operation.method.toLowerCase()]: described(operationId, operation) }
  }
  const schemas = Object.fromEntries([...NAMED].map(([schema, name]) => [name, members(schema)]))
  return {
    openapi: '3.1.1',
    info: {
      title: 'planegate admin API',
      version: '1',
      description:
        'API keys and revocations of a running gateway. Every change is recorded in the audit log before it is answered.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/', description: 'the admin listener' }],
    security: [{ adminToken: [] }],
    paths,
    components: {
      securitySchemes: { adminToken: { type: 'http', scheme: 'bearer', description: '`admin.token` of the configuration' } },
      schemas,
    },
  }
}

function described(operationId: string, { path, summary, body, status, answer, refusals, made }: Operation): object {
  const codes = [...ANY, ...(body === null ? [] : WITH_BODY), ...(made === null ? [] : CHANGING), ...refusals]
  const id = { name: 'id', in: 'path', required: true, schema: { type: 'string' }, description: 'id of the key' }
  return {
    operationId,
    summary,
    ...(path.includes('{id}') && { parameters: [id] }),
    ...(body !== null && {
      requestBody: { required: body.type === 'object', content: { 'application/json': { schema: published(body) } } },
    }),
    responses: {
      [status]: { description: 'Done.', content: { 'application/json': { schema: published(answer) } } },
      ...problems(codes),
    },
  }
}

/** One answer per status, naming its codes. */
function problems(codes: readonly RefusalCode[]): object {
  const content = { 'application/problem+json': { schema: published(PROBLEM) } }
  const byStatus = Map.groupBy(codes, (code) => REFUSALS[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, same]) => [status, { description: same.map((code) => `\`${code}\``).join(', '), content }]),
  )
}

/** A schema by its name where it has one. */
function published(schema: Schema): object {
  const name = NAMED.get(schema)
  return name === undefined ? members(schema) : { $ref: `#/components/schemas/${name}` }
}

function members(schema: Schema): object {
  return {
    ...schema,
    ...(schema.items && { items: published(schema.items) }),
    ...(schema.properties && {
      properties: Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, published(property)])),
    }),
  }
}
