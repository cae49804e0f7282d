import { connectDatabase } from '../stores/sql/open-database.ts'
import { migrateDown, migrateUp } from '../stores/sql/schema-version.ts'
import { DEFAULT_CONFIG, parseVerbArguments, UsageError, type VerbIo } from './arguments.ts'
import { failureText } from './command-failure.ts'
import { type ConfiguredDatabase, configuredDatabase } from './configured-database.ts'

/** What the verb takes from outside. */
export interface MigrateWorld {
  configured(file: string): ConfiguredDatabase
}

interface MigrateRequest {
  readonly config: string
  readonly json: boolean
  /** How many migrations to take back; null: bring the schema up to date. */
  readonly down: number | null
}

const OPTIONS = {
  config: { type: 'string', default: DEFAULT_CONFIG },
  json: { type: 'boolean', default: false },
  down: { type: 'string' },
} as const

const WORLD: MigrateWorld = {
  configured: configuredDatabase,
}

/** `planegate migrate [--down N]`. Gives the exit code: 0 done or nothing to do, 1 failed, 2 wrong usage. */
export async function migrate(argv: readonly string[], io: VerbIo, world: MigrateWorld = WORLD): Promise<number> {
  try {
    const request = parseRequest(argv)
    const { database } = world.configured(request.config)
    const names = await changeSchema(database.url, request.down)
    const json = request.down === null ? { applied: names, reverted: [] } : { applied: [], reverted: names }
    io.out(`${request.json ? JSON.stringify(json) : describe(names, request.down)}\n`)
    return 0
  } catch (error) {
    io.err(`planegate migrate: ${error instanceof UsageError ? error.message : failureText(error)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function changeSchema(url: string, down: number | null): Promise<string[]> {
  const database = await connectDatabase(url)
  try {
    return down === null ? await migrateUp(database.kysely) : await migrateDown(database.kysely, down)
  } finally {
    await database.close()
  }
}

function describe(names: readonly string[], down: number | null): string {
  if (names.length === 0) return 'The schema is up to date.'
  return `${down === null ? 'Applied' : 'Taken back'}: ${names.join(', ')}`
}

function parseRequest(argv: readonly string[]): MigrateRequest {
  const { config, json, down } = parseVerbArguments(argv, OPTIONS).values
  if (down === undefined) return { config, json, down: null }
  if (!/^[1-9][0-9]{0,3}$/.test(down)) throw new UsageError('--down must be how many migrations to take back, 1 or more')
  return { config, json, down: Number(down) }
}
