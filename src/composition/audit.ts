import type { Logger } from 'pino'
import { fileAnchor } from '../audit/anchors/file-anchor.ts'
import { webhookAnchor } from '../audit/anchors/webhook-anchor.ts'
import { Pseudonyms } from '../audit/format/pseudonyms.ts'
import { loadSigningKeys } from '../audit/signing-keys.ts'
import type { AuditWriter } from '../audit/writing/audit-writer.ts'
import { openAuditWriter } from '../audit/writing/open-audit-writer.ts'
import { commandActor } from '../cli/command-actor.ts'
import type { Gateway, SecretReference } from '../config/gateway.ts'
import { resolveSecret } from '../config/secret-reference.ts'
import type { Check } from '../http/readiness.ts'
import type { AuditAnchor } from '../ports/audit-anchor.ts'
import type { Clock } from '../ports/clock.ts'
import { databaseAnchor } from '../stores/sql/sql-audit-anchor.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { configurationRecord } from './configuration-record.ts'
import { checkOf } from './records.ts'

/** Characters of the key of pseudonyms, at least: it must not be guessed from a digest and the address behind it. */
const PSEUDONYM_KEY_LENGTH = 32

/** The keyed digests that stand for addresses and subjects; null: they are written as they are. Throws `SecretUnresolved`. */
export function pseudonymsOf(key: SecretReference | null): Pseudonyms | null {
  return key === null ? null : new Pseudonyms(resolveSecret(key, process.env, PSEUDONYM_KEY_LENGTH).reveal())
}

/**
 * The audit log, its troubles told to the log and the metrics. Throws a sentence when a key cannot be used, the directory cannot be written, or, in production, the log is
 * not what was signed.
 */
export async function openAudit(
  gateway: Gateway,
  pseudonyms: Pseudonyms | null,
  database: Parameters<typeof databaseAnchor>[0],
  clock: Clock,
  metrics: Metrics,
  logger: Logger,
): Promise<AuditWriter> {
  const { keyFile, previousKeyFiles, anchor, pseudonymKey: _, ...audit } = gateway.audit
  const writer = await openAuditWriter({
    ...audit,
    clock,
    origin: new URL(gateway.publicOrigin).host,
    signing: keyFile === null ? null : loadSigningKeys(keyFile, previousKeyFiles),
    anchor: anchorOf(anchor, database, clock),
    pseudonyms,
    strict: gateway.environment === 'production',
    events: {
      recorded: (count) => metrics.auditRecorded(count),
      dropped: (count) => metrics.auditDropped(count),
      failed: (error) => logger.error({ err: error }, 'The audit log cannot be written.'),
      restored: () => logger.info('The audit log is written again.'),
      trouble: (error) => logger.error({ err: error }, error.message),
    },
  })
  if (writer.divergence !== null) logger.error({ reason: writer.divergence.reason }, writer.divergence.detail)
  return writer
}

/** Milliseconds that a start waits for its first record to be on disk. */
const FIRST_RECORD = 10_000

/** The first record of a start: what decides from now on. Throws when it is not on disk in time, unless records may be shed. */
export async function recordConfiguration(gateway: Gateway, audit: AuditWriter, clock: Clock, logger: Logger): Promise<void> {
  const recorded = audit.appendConfiguration(configurationRecord(gateway, `start ${commandActor()}`, clock))
  if (gateway.audit.onUnavailable === 'shed') {
    recorded.catch((error) => logger.error({ err: error }, 'The configuration of this start could not be recorded.'))
    return
  }
  const late = new Error(`The audit log in ${gateway.audit.directory} takes no record: is its disk full?`)
  let timer: NodeJS.Timeout | undefined
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late), FIRST_RECORD)
  })
  await Promise.race([recorded, patience]).finally(() => clearTimeout(timer))
}

/** Whether records can be written, and whether the log is the one that was signed. */
export function auditChecks(audit: AuditWriter): Check[] {
  return [
    checkOf('audit', () => {
      if (!audit.available()) throw new Error('records cannot be written')
    }),
    checkOf('audit_log', () => {
      if (audit.divergence !== null) throw new Error(audit.divergence.detail)
    }),
  ]
}

function anchorOf(
  anchor: Gateway['audit']['anchor'],
  database: Parameters<typeof databaseAnchor>[0],
  clock: Clock,
): AuditAnchor | null {
  if (anchor === null) return null
  if ('file' in anchor) return fileAnchor(anchor.file, clock)
  if ('url' in anchor) return webhookAnchor(anchor.url)
  return databaseAnchor(database, clock)
}
