import { formatFinding } from '../config/finding.ts'
import { loadGateway } from '../config/load.ts'
import type { Environment } from '../stores/api-keys/format.ts'
import type { DatabaseOptions } from '../stores/sql/open-database.ts'
import { CommandFailure } from './command-failure.ts'

/** What the verbs that act on the database need of the configuration. */
export interface ConfiguredDatabase {
  readonly environment: Environment
  readonly database: DatabaseOptions
}

/**
 * Reads it from the gateway's configuration, which must be free of mistakes: half a configuration may name another database. A rule that has
 * expired is none here, because it must not keep anybody from revoking a key.
 */
export function configuredDatabase(file: string): ConfiguredDatabase {
  const loaded = loadGateway(file, { now: 0 })
  if (!loaded.ok) throw new CommandFailure(`the configuration has mistakes\n${loaded.mistakes.map(formatFinding).join('\n')}`)
  return { environment: loaded.gateway.environment, database: loaded.gateway.stores.database }
}
