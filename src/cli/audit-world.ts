import { createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Pseudonyms } from '../audit/format/pseudonyms.ts'
import { noteKey } from '../audit/format/signed-note.ts'
import { UnreadableFile } from '../audit/reading/regular-file.ts'
import type { SecretReference } from '../config/gateway.ts'
import { resolveSecret } from '../config/secret-reference.ts'
import type { Clock } from '../ports/clock.ts'
import { UsageError, type VerbIo } from './arguments.ts'
import { CommandFailure } from './command-failure.ts'
import { configuredGateway } from './configured-database.ts'

/** What `audit` needs of the configuration. */
export interface ConfiguredAudit {
  readonly directory: string
  readonly pseudonymKey: SecretReference | null
}

/** What the verb takes from outside. */
export interface AuditWorld {
  configured(file: string): ConfiguredAudit
  readonly clock: Pick<Clock, 'now'>
  readonly env: NodeJS.ProcessEnv
  /** Calls back when `tail` is to end. */
  onStop(stop: () => void): void
  /** All of standard input. */
  readInput(): string
}

export const WORLD: AuditWorld = {
  configured: (file) => configuredGateway(file).audit,
  clock: { now: () => Date.now() },
  env: process.env,
  onStop: (stop) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
    // Whoever read along has gone.
    process.stdout.once('error', stop)
  },
  readInput: () => readFileSync(0, 'utf8'),
}

/** Whoever reads along (`head`, a pager) may stop before everything is written: no error. Others are. */
export function outliveReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

/** Public keys from PEM files, or those of the private keys in them. Throws `UsageError`. */
export function publicKeys(files: readonly string[] | undefined): KeyObject[] {
  if (files === undefined || files.length === 0) throw new UsageError('--key is needed: the public key of the log, a PEM file')
  return files.map((file) => {
    try {
      const key = createPublicKey(readFileSync(file))
      noteKey('any', key)
      return key
    } catch {
      throw new UsageError(`--key: ${JSON.stringify(file)} holds no Ed25519 key in PEM that can be read`)
    }
  })
}

/** A whole number from 1. Throws `UsageError`. */
export function wholeNumber(option: string, written: string): number {
  const value = /^[1-9][0-9]{0,14}$/.test(written) ? Number(written) : null
  if (value === null) throw new UsageError(`${option} takes a whole number from 1`)
  return value
}

/** A text and what it may be replaced by in records; only the text when nothing is replaced, or the key cannot be had (which is said). */
export function pseudonymsOf({ pseudonymKey }: ConfiguredAudit, world: AuditWorld, io: VerbIo): Pseudonyms | null {
  if (pseudonymKey === null) return null
  try {
    return new Pseudonyms(resolveSecret(pseudonymKey, world.env).reveal())
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown'
    io.err(
      `planegate audit: the key of audit.pseudonymize cannot be had (${why}); only records that are not pseudonymous are found by subject or address\n`,
    )
    return null
  }
}

/** For reading a directory that may not be there, or not be readable. */
export function unreadableDirectory(directory: string, error: unknown): CommandFailure {
  if (error instanceof UnreadableFile) return new CommandFailure(error.message)
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
  return new CommandFailure(`the audit directory ${directory} cannot be read${code}`)
}
