import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { AuditOptions } from '../../src/audit/writing/audit-options.ts'
import type { AuditWriter } from '../../src/audit/writing/audit-writer.ts'
import { openAuditWriter } from '../../src/audit/writing/open-audit-writer.ts'
import { auditOptions } from './options.ts'
import { decision } from './records.ts'

/** The directory of a log, not yet made; gone after the test. */
export function logFolder(test: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'planegate-log-'))
  test.after(() => rmSync(root, { recursive: true, force: true }))
  return join(root, 'audit')
}

/** Opens a log, which is closed after the test at the latest. */
export async function openLog(test: TestContext, directory: string, change: Partial<AuditOptions> = {}): Promise<AuditWriter> {
  const writer = await openAuditWriter(auditOptions(directory, change))
  test.after(() => writer.close().catch(() => undefined))
  return writer
}

/** Writes records, the last of them a change: all are on disk when this resolves. */
export async function written(writer: AuditWriter, count: number): Promise<void> {
  for (let number = 1; number < count; number++) writer.append(decision({ requestId: `request-${number}` }))
  await writer.appendChange({ changeId: 'c', time: '2026-01-02T03:04:05.678Z', action: 'key-revoked', by: 'test', what: {} })
}
