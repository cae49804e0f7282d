import type { Clock } from '../ports/clock.ts'
import type { ApiKeyRecord } from '../ports/credential-store.ts'
import { type Environment, keyEnvironment, mintApiKey } from '../stores/api-keys/format.ts'
import { openDatabase } from '../stores/sql/open-database.ts'
import { type SqlCredentialStore, sqlCredentialStore } from '../stores/sql/sql-credential-store.ts'
import { UsageError, type VerbIo } from './arguments.ts'
import { CommandFailure, failureText } from './command-failure.ts'
import { type ConfiguredDatabase, configuredDatabase } from './configured-database.ts'
import { describeKeys, describeNewKey, keyFacts, keyState, timeText } from './key-report.ts'
import { type KeyRequest, parseKeyRequest } from './key-request.ts'

/** A change that was made to the keys. Says who and what, never a secret. */
export interface KeyChange {
  readonly action: 'created' | 'rotated' | 'revoked'
  readonly id: string
  readonly replacedBy: string | null
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** What the verb takes from outside. */
export interface KeysWorld {
  configured(file: string): ConfiguredDatabase
  readonly clock: Clock
  /** Called after every change, before its result is shown: the place where changes of keys are audited. Today nothing is written. */
  recordChange(change: KeyChange): Promise<void>
}

interface Desk {
  readonly store: SqlCredentialStore
  readonly environment: Environment
  readonly world: KeysWorld
}

/** What a verb shows: `text` to people, `json` to programs. */
interface Outcome {
  readonly text: string
  readonly json: unknown
}

const WORLD: KeysWorld = {
  configured: configuredDatabase,
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
  recordChange: async () => {},
}

/** `planegate keys create | list | rotate | revoke`. Gives the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function keys(argv: readonly string[], io: VerbIo, world: KeysWorld = WORLD): Promise<number> {
  try {
    const request = parseKeyRequest(argv)
    const { text, json } = await withDesk(request.config, world, (desk) => perform(request, desk))
    io.out(request.json ? `${JSON.stringify(json)}\n` : text)
    return 0
  } catch (error) {
    io.err(`planegate keys: ${error instanceof UsageError ? error.message : failureText(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function withDesk<T>(file: string, world: KeysWorld, act: (desk: Desk) => Promise<T>): Promise<T> {
  const { environment, database } = world.configured(file)
  const db = await openDatabase(database)
  try {
    const store = sqlCredentialStore(db, { clock: world.clock })
    try {
      return await act({ store, environment, world })
    } finally {
      store.close()
    }
  } finally {
    await db.close()
  }
}

function perform(request: KeyRequest, desk: Desk): Promise<Outcome> {
  switch (request.verb) {
    case 'create':
      return create(request, desk)
    case 'list':
      return list(desk)
    case 'rotate':
      return rotate(request, desk)
    case 'revoke':
      return revoke(request, desk)
  }
}

type Asked<Verb extends KeyRequest['verb']> = Extract<KeyRequest, { readonly verb: Verb }>

async function create(
  { owner, scopes, cidrs, lifetime }: Asked<'create'>,
  { store, environment, world }: Desk,
): Promise<Outcome> {
  const now = world.clock.now()
  const expiresAt = lifetime === null ? null : now + lifetime
  const { key, record } = newKey(environment, { owner, scopes, cidrs, createdAt: now, expiresAt })
  await store.createApiKey(record)
  await world.recordChange({ action: 'created', id: record.id, replacedBy: null, at: now })
  return { text: describeNewKey(key, record), json: { ...keyFacts(record, now), key } }
}

async function list({ store, world }: Desk): Promise<Outcome> {
  const now = world.clock.now()
  const records = await store.listApiKeys()
  return { text: describeKeys(records, now), json: records.map((record) => keyFacts(record, now)) }
}

async function rotate({ id, overlap }: Asked<'rotate'>, { store, environment, world }: Desk): Promise<Outcome> {
  const now = world.clock.now()
  const old = store.findApiKey(id)
  if (old === null) throw unknownKey(id)
  const state = keyState(old, now)
  if (old.replacedBy !== null) throw new CommandFailure(`the API key ${id} was already rotated; ${old.replacedBy} took its place`)
  if (state !== 'active') throw new CommandFailure(`the API key ${id} is ${state} and cannot be rotated; create a new one`)
  const { owner, scopes, cidrs, expiresAt } = old
  const { key, record } = newKey(environment, { owner, scopes, cidrs, createdAt: now, expiresAt })
  const oldEnd = Math.min(now + overlap, expiresAt ?? Number.POSITIVE_INFINITY)
  if (!(await store.rotateApiKey(id, record, oldEnd))) {
    throw new CommandFailure(`the API key ${id} was changed by someone else meanwhile; nothing was done`)
  }
  await world.recordChange({ action: 'rotated', id, replacedBy: record.id, at: now })
  const replaced = { id, expiresAt: timeText(oldEnd) }
  return {
    text: `${describeNewKey(key, record)}replaces  ${id}, which ends ${replaced.expiresAt}\n`,
    json: { ...keyFacts(record, now), key, replaced },
  }
}

async function revoke({ id }: Asked<'revoke'>, { store, world }: Desk): Promise<Outcome> {
  const now = world.clock.now()
  if (!(await store.revokeApiKey(id, now))) throw unknownKey(id)
  await world.recordChange({ action: 'revoked', id, replacedBy: null, at: now })
  const record = store.findApiKey(id)
  if (record === null) throw unknownKey(id)
  return { text: `The API key ${id} of ${record.owner} is revoked.\n`, json: keyFacts(record, now) }
}

type Granted = Pick<ApiKeyRecord, 'owner' | 'scopes' | 'cidrs' | 'createdAt' | 'expiresAt'>

function newKey(environment: Environment, granted: Granted): { key: string; record: ApiKeyRecord } {
  const { id, key, digest } = mintApiKey(keyEnvironment(environment))
  return { key, record: { ...granted, id, digest, revokedAt: null, replacedBy: null } }
}

function unknownKey(id: string): CommandFailure {
  return new CommandFailure(`there is no API key ${JSON.stringify(id)}`)
}
