import type { RefusalCode } from '../../problem/refusals.ts'
import { KEY, KEY_ORDER, KEYS, NEW_KEY, NOTHING, ROTATION_ORDER, SUCCESSOR } from './key-schemas.ts'
import { REVOCATION, REVOCATION_ORDER, REVOCATIONS } from './revocation-schemas.ts'
import type { Schema, Typed } from './schema.ts'

/** Where the admin API begins. */
export const ADMIN_API = '/admin/v1'

/** One thing that the admin API does. */
export interface Operation {
  readonly method: 'GET' | 'POST'
  /** Below `ADMIN_API`, parameters as OpenAPI writes them. */
  readonly path: string
  readonly summary: string
  /** null: it takes no body. */
  readonly body: Schema | null
  readonly status: 200 | 201
  readonly answer: Schema
  /** Beyond those that every operation can meet. */
  readonly refusals: readonly RefusalCode[]
  /** What is told when a change was made whose record is not on disk in time; null: it changes nothing. */
  readonly made: string | null
}

/** Everything that the admin API does, by operation id: routes, validation, types and the OpenAPI description come from here. */
export const OPERATIONS = {
  createKey: {
    method: 'POST',
    path: '/keys',
    summary: 'Makes an API key and shows it once.',
    body: KEY_ORDER,
    status: 201,
    answer: NEW_KEY,
    refusals: [],
    made: 'the key was made but is not shown: revoke it and create another',
  },
  listKeys: {
    method: 'GET',
    path: '/keys',
    summary: 'All API keys with their state, oldest first.',
    body: null,
    status: 200,
    answer: KEYS,
    refusals: [],
    made: null,
  },
  showKey: {
    method: 'GET',
    path: '/keys/{id}',
    summary: 'One API key.',
    body: null,
    status: 200,
    answer: KEY,
    refusals: ['key-unknown'],
    made: null,
  },
  rotateKey: {
    method: 'POST',
    path: '/keys/{id}/rotate',
    summary: 'Makes a key in the place of another, which works on for the overlap but never past its own end.',
    body: ROTATION_ORDER,
    status: 201,
    answer: SUCCESSOR,
    refusals: ['key-unknown', 'key-not-active'],
    made: 'the key was rotated but its successor is not shown: rotate that one (`replacedBy`)',
  },
  revokeKey: {
    method: 'POST',
    path: '/keys/{id}/revoke',
    summary: 'Ends an API key at once and for good. Repeating it changes nothing.',
    body: NOTHING,
    status: 200,
    answer: KEY,
    refusals: ['key-unknown'],
    made: 'the key is revoked',
  },
  revoke: {
    method: 'POST',
    path: '/revocations',
    summary: 'Revokes a session, a token, all tokens of a subject issued until now, or one credential.',
    body: REVOCATION_ORDER,
    status: 201,
    answer: REVOCATION,
    refusals: [],
    made: 'the revocation is in force',
  },
  listRevocations: {
    method: 'GET',
    path: '/revocations',
    summary: 'The revocations that are not forgotten yet, newest first.',
    body: null,
    status: 200,
    answer: REVOCATIONS,
    refusals: [],
    made: null,
  },
  describe: {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This description.',
    body: null,
    status: 200,
    answer: { type: 'object', additionalProperties: true },
    refusals: [],
    made: null,
  },
} as const satisfies Readonly<Record<string, Operation>>

type Operations = typeof OPERATIONS
export type OperationId = keyof Operations

/** What an operation was asked. */
export interface Asked<Id extends OperationId> {
  /** From the path; empty where the path has none. */
  readonly id: string
  readonly body: Operations[Id]['body'] extends null ? null : Typed<Operations[Id]['body']>
  /** Who asks, as the audit log names them. */
  readonly by: string
}

/** An operation's work. Throws a `Refusal`. */
export type Perform<Id extends OperationId> = (asked: Asked<Id>) => Promise<Typed<Operations[Id]['answer']>>
/** The work behind every operation but the description. */
export type Performers = { readonly [Id in Exclude<OperationId, 'describe'>]: Perform<Id> }
