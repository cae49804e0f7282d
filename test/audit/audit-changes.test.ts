import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import type { AuditOptions } from '../../src/audit/writing/audit-options.ts'
import { openAuditWriter } from '../../src/audit/writing/open-audit-writer.ts'
import type { ChangeRecord } from '../../src/domain/change-record.ts'
import { auditFiles, auditOptions } from './options.ts'
import { decision, readChain, until } from './records.ts'

function change(changeId: string): ChangeRecord {
  const what = { key: 'CqpWxhOdnFEl5oDO', owner: 'billing' }
  return { changeId, time: '2026-01-02T03:04:05.678Z', action: 'key-revoked', by: 'command-line root@host', what }
}

async function open(test: TestContext, options: Partial<AuditOptions> = {}) {
  const root = mkdtempSync(join(tmpdir(), 'planegate-audit-changes-'))
  const directory = join(root, 'audit')
  const failed: string[] = []
  const writer = await openAuditWriter(
    auditOptions(directory, {
      signing: null,
      events: { ...auditOptions(directory).events, failed: (error) => failed.push(error.message) },
      ...options,
    }),
  )
  test.after(async () => {
    await writer.close().catch(() => undefined)
    rmSync(root, { recursive: true })
  })
  return { writer, directory, failed }
}

const changeIds = async (directory: string) =>
  (await readChain(directory)).flatMap((line) => ('changeId' in line ? [line.changeId] : []))

describe('audit records of changes', () => {
  it('are lines of the same chain, in the order in which they were taken', async (test) => {
    const { writer, directory } = await open(test)
    writer.append(decision())
    const taken = writer.appendChange(change('a'))
    writer.append(decision({ requestId: 'request-2' }))
    await taken
    const [file = ''] = await auditFiles(directory)
    const [, , line = ''] = readFileSync(join(directory, file), 'utf8').split('\n')
    const { seq, prev, ...record } = JSON.parse(line)
    assert.deepEqual(record, { event: 'change', ...change('a') })
    assert.equal(seq, 3)
    assert.match(prev, /^[0-9a-f]{64}$/)
    await writer.close()
    assert.equal((await readChain(directory)).length, 3)
  })

  it('are in the file when they resolve, also many at once, and whatever else is recorded', async (test) => {
    const { writer, directory } = await open(test, { success: false, limits: false })
    const ids = Array.from({ length: 5_000 }, (_, index) => `change-${index}`)
    let resolved = 0
    const all = ids.map((id) => writer.appendChange(change(id)).then(() => (resolved += 1)))
    await all[0]
    const first = await changeIds(directory)
    assert.ok(first.length >= resolved && resolved > 0, `${first.length} in the file, ${resolved} resolved`)
    await Promise.all(all)
    assert.deepEqual(await changeIds(directory), ids)
  })

  it('are on disk within a fraction of the time between two syncs', async (test) => {
    const { writer } = await open(test)
    const began = performance.now()
    for (let number = 0; number < 10; number++) await writer.appendChange(change(`change-${number}`))
    const took = performance.now() - began
    assert.ok(took < 1_500, `${took} ms for ten; at one sync in 250 ms it would take 2,500`)
  })

  it('are refused while the log fails; one taken before is kept and resolves when the disk is back', async (test) => {
    const { writer, directory, failed } = await open(test)
    await writer.appendChange(change('before'))
    renameSync(directory, `${directory}-away`)
    let resolved = false
    const pending = writer.appendChange(change('during')).then(() => {
      resolved = true
    })
    await until('the log fails', () => failed.length > 0)
    await assert.rejects(writer.appendChange(change('refused')), /takes no record now/)
    assert.equal(resolved, false)
    renameSync(`${directory}-away`, directory)
    await pending
    assert.deepEqual(await changeIds(directory), ['before', 'during'])
    await writer.appendChange(change('after'))
    assert.deepEqual(await changeIds(directory), ['before', 'during', 'after'])
  })

  it('are refused when there is no room, and when the log is closed', async (test) => {
    const { writer } = await open(test, { maxPending: 100 })
    const first = writer.appendChange(change('a'))
    await assert.rejects(writer.appendChange(change('b')), /takes no record now/)
    await first
    await writer.close()
    await assert.rejects(writer.appendChange(change('c')), /takes no record now/)
  })

  it('reject when the log is closed before they are on disk', async (test) => {
    const { writer, directory, failed } = await open(test)
    await writer.appendChange(change('before'))
    rmSync(directory, { recursive: true })
    const lost = assert.rejects(writer.appendChange(change('lost')), /closed before the record was on disk/)
    await until('the log fails', () => failed.length > 0)
    await assert.rejects(writer.close(), /1 audit records could not be written/)
    await lost
  })
})
