import { type KeyDesk, keyDesk } from '../admin/key-desk.ts'
import { keyFacts } from '../admin/key-facts.ts'
import { timeText } from '../domain/timestamp.ts'
import type { Clock } from '../ports/clock.ts'
import { keyEnvironment, mintApiKey } from '../stores/api-keys/format.ts'
import { openDatabase } from '../stores/sql/open-database.ts'
import { sqlCredentialStore } from '../stores/sql/sql-credential-store.ts'
import { UsageError, type VerbIo } from './arguments.ts'
import { commandActor } from './command-actor.ts'
import { CommandFailure, failureText } from './command-failure.ts'
import { type ConfiguredDatabase, configuredDatabase } from './configured-database.ts'
import { describeKeys, describeNewKey } from './key-report.ts'
import { type KeyRequest, parseKeyRequest } from './key-request.ts'

/** What the verb takes from outside. */
export interface KeysWorld {
  configured(file: string): ConfiguredDatabase
  readonly clock: Clock
}

interface Desk {
  readonly desk: KeyDesk
  readonly clock: Clock
  /** Who makes the changes. */
  readonly by: string
}

/** What a verb shows: `text` to people, `json` to programs. */
interface Outcome {
  readonly text: string
  readonly json: unknown
}

const WORLD: KeysWorld = {
  configured: configuredDatabase,
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
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

async function withDesk<T>(file: string, { configured, clock }: KeysWorld, act: (desk: Desk) => Promise<T>): Promise<T> {
  const { environment, database } = configured(file)
  const db = await openDatabase(database)
  try {
    const store = sqlCredentialStore(db, { clock })
    try {
      const desk = keyDesk({ store, clock, mint: () => mintApiKey(keyEnvironment(environment)) })
      return await act({ desk, clock, by: commandActor() })
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

async function create({ owner, scopes, cidrs, lifetime }: Asked<'create'>, { desk, clock, by }: Desk): Promise<Outcome> {
  const end = lifetime === null ? null : { after: lifetime }
  const { key, record } = await desk.create({ owner, scopes, cidrs, end }, by)
  return { text: describeNewKey(key, record), json: { ...keyFacts(record, clock.now()), key } }
}

async function list({ desk, clock }: Desk): Promise<Outcome> {
  const now = clock.now()
  const records = await desk.list()
  return { text: describeKeys(records, now), json: records.map((record) => keyFacts(record, now)) }
}

async function rotate({ id, overlap }: Asked<'rotate'>, { desk, clock, by }: Desk): Promise<Outcome> {
  const rotation = await desk.rotate(id, overlap, by)
  if (!rotation.done) throw notRotated(id, rotation)
  const { key, record, oldEnd } = rotation
  const replaced = { id, expiresAt: timeText(oldEnd) }
  return {
    text: `${describeNewKey(key, record)}replaces  ${id}, which ends ${replaced.expiresAt}\n`,
    json: { ...keyFacts(record, clock.now()), key, replaced },
  }
}

function notRotated(
  id: string,
  rotation: Extract<Awaited<ReturnType<KeyDesk['rotate']>>, { readonly done: false }>,
): CommandFailure {
  switch (rotation.why) {
    case 'unknown':
      return unknownKey(id)
    case 'rotated':
      return new CommandFailure(`the API key ${id} was already rotated; ${rotation.replacedBy} took its place`)
    case 'changed-meanwhile':
      return new CommandFailure(`the API key ${id} was changed by someone else meanwhile; nothing was done`)
    default:
      return new CommandFailure(`the API key ${id} is ${rotation.why} and cannot be rotated; create a new one`)
  }
}

async function revoke({ id }: Asked<'revoke'>, { desk, clock, by }: Desk): Promise<Outcome> {
  const record = await desk.revoke(id, by)
  if (record === null) throw unknownKey(id)
  return { text: `The API key ${id} of ${record.owner} is revoked.\n`, json: keyFacts(record, clock.now()) }
}

function unknownKey(id: string): CommandFailure {
  return new CommandFailure(`there is no API key ${JSON.stringify(id)}`)
}
