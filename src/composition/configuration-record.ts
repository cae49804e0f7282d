import { randomUUID } from 'node:crypto'
import type { Gateway } from '../config/gateway.ts'
import type { ChangeAction, ChangeRecord } from '../domain/change-record.ts'
import type { Clock } from '../ports/clock.ts'
import { VERSION } from '../version.ts'

const ACTION: ChangeAction = 'configuration-loaded'

/**
 * What decides from now on, for the audit log: which planegate, and which files with their SHA-256, each as `sha256sum` writes
 * it. Keys and secrets are elsewhere and not in it, neither is what variables of the environment hold.
 */
export function configurationRecord(gateway: Gateway, by: string, clock: Clock): ChangeRecord {
  const { environment, files } = gateway
  return {
    changeId: randomUUID(),
    time: new Date(clock.now()).toISOString(),
    action: ACTION,
    by,
    what: { version: VERSION, environment, files: files.map(({ file, digest }) => `${digest}  ${file}`) },
  }
}
