import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { allRecords } from '../../../src/audit/reading/log-records.ts'
import { proveLine } from '../../../src/audit/reading/prove.ts'
import { RecordMatcher } from '../../../src/audit/reading/record-filter.ts'
import { regularFile } from '../../../src/audit/reading/regular-file.ts'
import type { AuditOptions } from '../../../src/audit/writing/audit-options.ts'
import { openAuditWriter } from '../../../src/audit/writing/open-audit-writer.ts'
import { auditOptions } from '../options.ts'
import { decision, until } from '../records.ts'
import { folder, verify } from './log-copies.ts'
import { PRIVATE, PUBLIC } from './sample-log.ts'

const fail = (error: Error) => {
  throw error
}

function options(directory: string): AuditOptions {
  return auditOptions(directory, {
    events: { ...auditOptions(directory).events, failed: fail, trouble: fail },
    signing: { privateKey: PRIVATE, previous: [] },
    segment: { size: 20_000, age: 3_600_000, compressAfter: 1 },
    checkpoint: { every: 20, interval: 50 },
  })
}

describe('a log that the writer writes', () => {
  it('verifies at any moment while it is written, through rotation and compression, and when it is closed', async (test) => {
    const directory = join(folder(test), 'log')
    const writer = await openAuditWriter(options(directory))
    let appended = 0
    const append = () => {
      for (let count = 0; count < 20; count++) writer.append(decision({ requestId: `r-${appended++}` }))
    }
    append()
    await until('there are lines', () => (regularFile(join(directory, 'audit-000000000001.jsonl'))?.size ?? 0) > 0)
    await until('a segment was compressed', async () => {
      append()
      const live = await verify(directory, { open: true })
      assert.deepEqual(live.findings, [])
      return live.covered > 0 && readdirSync(directory).some((name) => name.endsWith('.gz'))
    })
    assert.match((await verify(directory)).findings[0]?.message ?? '', new RegExp(`process ${process.pid} is writing`))
    await writer.close()
    const again = await openAuditWriter(options(directory))
    again.append(decision({ requestId: 'late' }))
    await again.close()
    const { findings, lines, covered } = await verify(directory)
    assert.deepEqual([findings, covered], [[], lines])
    assert.equal((await proveLine(directory, 2, [PUBLIC])).record.seq, 2)
  })

  it('gives back each record', async (test) => {
    const directory = join(folder(test), 'log')
    const writer = await openAuditWriter(options(directory))
    for (let count = 0; count < 100; count++) writer.append(decision({ requestId: `r-${count}` }))
    await writer.close()
    const none = { request: null, subjects: null, addresses: null, code: null, route: null, since: null, until: null }
    const found: unknown[] = []
    for await (const { record } of allRecords(directory, new RecordMatcher({ ...none, route: 'accounts-read' }), {
      since: null,
      unreadable: assert.fail,
    }))
      found.push(record.requestId)
    assert.deepEqual(
      found,
      Array.from({ length: 100 }, (_, count) => `r-${count}`),
    )
  })
})
