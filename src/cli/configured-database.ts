import { formatFinding } from '../config/finding.ts'
import type { Gateway } from '../config/gateway.ts'
import { loadGateway } from '../config/load.ts'
import type { Environment } from '../stores/api-keys/format.ts'
import type { DatabaseOptions } from '../stores/sql/open-database.ts'
import { developmentIssuerOptions } from '../tokens/development-issuer.ts'
import { CommandFailure } from './command-failure.ts'

/** What the verbs that act on the database need of the configuration. */
export interface ConfiguredDatabase {
  readonly environment: Environment
  readonly database: DatabaseOptions
}

/** What revoking needs besides. */
export interface ConfiguredRevocations extends ConfiguredDatabase {
  /** Milliseconds. */
  readonly retention: number
  /** Issuers whose tokens are believed. */
  readonly issuers: readonly string[]
}

export function configuredDatabase(file: string): ConfiguredDatabase {
  const { environment, stores } = configuredGateway(file)
  return { environment, database: stores.database }
}

export function configuredRevocations(file: string): ConfiguredRevocations {
  const gateway = configuredGateway(file)
  const { environment, stores, revocation, providers, developmentIssuer } = gateway
  const issuers = providers.map(({ issuer }) => issuer)
  if (developmentIssuer) issuers.push(developmentIssuerOptions(gateway).issuer)
  return { environment, database: stores.database, retention: revocation.retention, issuers }
}

/**
 * The gateway's configuration must be free of mistakes: half a configuration may name another database. A rule that has expired is none here, because it
 * must not keep anybody from revoking a key.
 */
export function configuredGateway(file: string): Gateway {
  const loaded = loadGateway(file, { now: 0 })
  if (!loaded.ok) throw new CommandFailure(`the configuration has mistakes\n${loaded.mistakes.map(formatFinding).join('\n')}`)
  return loaded.gateway
}
