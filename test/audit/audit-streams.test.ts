import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it } from 'node:test'
import { openAuditWriter } from '../../src/audit/writing/open-audit-writer.ts'
import type { StreamRecord } from '../../src/domain/stream-record.ts'
import { auditFiles, auditOptions } from './options.ts'
import { decision, readChain } from './records.ts'

const CLOSED: StreamRecord = {
  time: '2026-01-02T03:04:05.678Z',
  requestId: 'request-1',
  route: 'events',
  stream: 'event-stream',
  code: 'credential-invalid',
  reason: 'session-revoked',
  credential: { kind: 'jwt', id: 'a'.repeat(64) },
  session: 'b'.repeat(64),
}

it('a closed stream is a line of the chain, also where requests that succeed are not recorded; what does not fit is counted', async (test) => {
  const directory = mkdtempSync(join(tmpdir(), 'planegate-audit-streams-'))
  test.after(() => rmSync(directory, { recursive: true }))
  let dropped = 0
  const writer = await openAuditWriter(
    auditOptions(directory, {
      success: false,
      onUnavailable: 'shed',
      maxPending: 1_000,
      events: { ...auditOptions(directory).events, dropped: (count) => (dropped += count) },
    }),
  )
  writer.append(decision())
  for (let number = 0; number < 10; number += 1) writer.appendStreamClosed(CLOSED)
  await writer.close()
  const lines = await readChain(directory)
  assert.deepEqual(
    lines.map(({ event }) => event),
    ['stream-closed', 'stream-closed', 'shed'],
  )
  assert.equal(dropped, 8)
  const [file = ''] = await auditFiles(directory)
  const { seq, prev, ...record } = JSON.parse(readFileSync(join(directory, file), 'utf8').split('\n')[1] ?? '')
  assert.deepEqual(record, { event: 'stream-closed', ...CLOSED })
})
