import { hash } from 'node:crypto'
import type { Gateway } from '../config/gateway.ts'
import type { ConfigurationRecord } from '../domain/configuration-record.ts'
import type { Clock } from '../ports/clock.ts'
import { VERSION } from '../version.ts'

/** Named one by one in the record. */
const MOST_FILES = 1_000

/**
 * What decides from now on, for the audit log: which planegate, and which files with their SHA-256, each as `sha256sum` writes
 * it. Keys and secrets are elsewhere and not in it, neither is what variables of the environment hold.
 */
export function configurationRecord({ environment, files }: Gateway, by: string, clock: Clock): ConfigurationRecord {
  const lines = files.map(({ file, digest }) => `${digest}  ${file}`)
  return { time: new Date(clock.now()).toISOString(), by, version: VERSION, environment, files: listed(lines) }
}

/** Of very many files the digest of the list, as `sha256sum` would give it for the list in a file. */
function listed(lines: readonly string[]): readonly string[] {
  if (lines.length <= MOST_FILES) return lines
  return [`${hash('sha256', `${lines.join('\n')}\n`)}  (list of ${lines.length} files)`]
}
