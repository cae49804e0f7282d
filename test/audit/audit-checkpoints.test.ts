import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CHECKPOINTS } from '../../src/audit/format/segments.ts'
import { openAuditWriter } from '../../src/audit/writing/open-audit-writer.ts'
import type { AuditAnchor } from '../../src/ports/audit-anchor.ts'
import { logFolder, openLog, written } from './opened-log.ts'
import { auditKey, auditOptions } from './options.ts'
import { readLog, until } from './records.ts'
import { assertVerifies, checkpointsOf, verification } from './verified.ts'

/** Lines covered by each, without the first checkpoint, which says that the log is empty. */
const sizes = (directory: string) =>
  checkpointsOf(directory)
    .slice(1)
    .map(({ size }) => size)

describe('checkpoints are written', () => {
  it('with the first records, and at the end over the very last line', async (test) => {
    const directory = logFolder(test)
    const writer = await openLog(test, directory)
    await written(writer, 3)
    await until('the first checkpoint', () => sizes(directory).length === 1)
    await writer.close()
    const lines = await readLog(directory)
    assert.deepEqual(sizes(directory), [4, lines.length])
    assert.equal(lines.at(-1)?.event, 'closed')
    await assertVerifies(directory)
  })

  it('by count', async (test) => {
    const directory = logFolder(test)
    const writer = await openLog(test, directory, { checkpoint: { every: 100, interval: 3_600_000 } })
    for (let round = 0; round < 3; round++) await written(writer, 100)
    await until('three checkpoints', () => sizes(directory).length === 3)
    await writer.close()
    await assertVerifies(directory)
  })

  it('by time, also when nothing happens; each but the last is named by a line', async (test) => {
    const directory = logFolder(test)
    const writer = await openLog(test, directory, { checkpoint: { every: 10_000, interval: 100 } })
    await written(writer, 1)
    await until('four checkpoints of an idle log', () => sizes(directory).length >= 4)
    await writer.close()
    const { checkpoints } = await assertVerifies(directory)
    const named = (await readLog(directory)).filter(({ event }) => event === 'checkpoint').length
    assert.equal(named, checkpoints - 2, 'the first is named by the first line')
  })

  it('not without a key', async (test) => {
    const directory = logFolder(test)
    const writer = await openLog(test, directory, { signing: null })
    await written(writer, 3)
    await writer.close()
    assert.deepEqual(sizes(directory), [])
    assert.deepEqual((await verification(directory)).findings.map(({ code }) => code).slice(0, 1), ['checkpoints-missing'])
  })

  it('again from the next start on, under the same origin, each over more lines', async (test) => {
    const directory = logFolder(test)
    for (let start = 0; start < 4; start++) {
      const writer = await openLog(test, directory)
      await written(writer, 2)
      await writer.close()
    }
    const { segments } = await assertVerifies(directory)
    assert.equal(segments, 4)
    assert.equal(new Set(checkpointsOf(directory).map(({ origin }) => origin)).size, 1)
  })
})

describe('a checkpoint that cannot be written', () => {
  it('makes the log unavailable until it can, and no record is lost', async (test) => {
    const directory = logFolder(test)
    const failed: string[] = []
    const events = { ...auditOptions(directory).events, failed: (error: Error) => failed.push(error.message) }
    const writer = await openLog(test, directory, { events, checkpoint: { every: 10_000, interval: 100 } })
    await written(writer, 2)
    await until('the first checkpoint', () => sizes(directory).length > 0)
    const path = join(directory, CHECKPOINTS)
    renameSync(path, `${path}-away`)
    mkdirSync(path)
    await until('the failure is noticed', () => !writer.available())
    await assert.rejects(written(writer, 1), /takes no record now/)
    rmSync(path, { recursive: true })
    renameSync(`${path}-away`, path)
    await until('it is available again', () => writer.available())
    await written(writer, 2)
    await writer.close()
    assert.ok(failed.length > 0)
    await assertVerifies(directory)
  })

  it('and goes on after it was deleted, which verification tells', async (test) => {
    const directory = logFolder(test)
    const writer = await openLog(test, directory, { checkpoint: { every: 10_000, interval: 100 } })
    await written(writer, 2)
    await until('two checkpoints', () => sizes(directory).length >= 2)
    rmSync(join(directory, CHECKPOINTS))
    await until('there are new ones', () => sizes(directory).length > 0)
    await until('it is available', () => writer.available())
    await writer.close()
    assert.equal((await verification(directory)).ok, false)
  })
})

describe('the key', () => {
  it('may change when the one before is named as previous; both vouch for the log', async (test) => {
    const directory = logFolder(test)
    const first = await openLog(test, directory)
    await written(first, 2)
    await first.close()
    const next = auditKey(2)
    await assert.rejects(
      openAuditWriter(auditOptions(directory, { signing: { privateKey: next.privateKey, previous: [] } })),
      /newest checkpoint in audit\.checkpoints is not signed by audit\.key nor by one of audit\.previousKeys/,
    )
    const previous = [auditKey(1).publicKey]
    const second = await openLog(test, directory, { signing: { privateKey: next.privateKey, previous } })
    await written(second, 2)
    await second.close()
    await assertVerifies(directory, { keys: [auditKey(1).publicKey, next.publicKey] })
    assert.equal((await verification(directory)).ok, false)
  })
})

describe('the anchor', () => {
  class MemoryAnchor implements AuditAnchor {
    readonly place = 'the memory of this test'
    readonly kept: string[] = []
    readonly last: boolean[] = []
    failing = false
    async put(note: string, _origin: string, last = false): Promise<void> {
      if (this.failing) throw new Error('away')
      this.kept.push(note)
      this.last.push(last)
    }
    async latest(): Promise<string | null> {
      if (this.failing) throw new Error('away')
      return this.kept.at(-1) ?? null
    }
  }

  it('gets every checkpoint, and the last of a stop before the stop ends', async (test) => {
    const directory = logFolder(test)
    const anchor = new MemoryAnchor()
    const writer = await openLog(test, directory, { anchor })
    await written(writer, 2)
    await until('the first of lines is kept', () => anchor.kept.length === 2)
    await writer.close()
    assert.equal(anchor.kept.join('\n'), readFileSync(join(directory, CHECKPOINTS), 'utf8'))
    assert.deepEqual(anchor.last, [false, false, true])
  })

  it('that is away is told once, holds up no record, and gets the newest at the end', async (test) => {
    const directory = logFolder(test)
    const anchor = new MemoryAnchor()
    anchor.failing = true
    const trouble: string[] = []
    const events = { ...auditOptions(directory).events, trouble: (error: Error) => trouble.push(error.message) }
    const writer = await openLog(test, directory, { anchor, events, checkpoint: { every: 10_000, interval: 100 } })
    await written(writer, 2)
    await until('three checkpoints', () => sizes(directory).length >= 3)
    assert.equal(writer.available(), true)
    assert.deepEqual(trouble, ['A checkpoint could not be kept in the memory of this test.'])
    anchor.failing = false
    await writer.close()
    assert.equal(anchor.kept.length, 1)
  })

  it('knows of a log that was rolled back as a whole', async (test) => {
    const directory = logFolder(test)
    const anchor = new MemoryAnchor()
    const old = await openLog(test, directory, { anchor })
    await written(old, 2)
    await old.close()
    const files = ['audit-000000000001.jsonl', CHECKPOINTS].map((name) => [name, readFileSync(join(directory, name))] as const)
    const next = await openLog(test, directory, { anchor })
    await written(next, 2)
    await next.close()
    rmSync(directory, { recursive: true })
    mkdirSync(directory)
    for (const [name, content] of files) writeFileSync(join(directory, name), content)
    await assert.rejects(openAuditWriter(auditOptions(directory, { anchor })), /and the anchor says that it had/)
    await (await openLog(test, directory)).close()
  })

  it('that cannot be read stops a strict start', async (test) => {
    const directory = logFolder(test)
    const anchor = new MemoryAnchor()
    const first = await openLog(test, directory, { anchor })
    await written(first, 2)
    await first.close()
    anchor.failing = true
    await assert.rejects(
      openAuditWriter(auditOptions(directory, { anchor })),
      /What the memory of this test keeps cannot be read: away/,
    )
    const lenient = await openLog(test, directory, { anchor, strict: false })
    assert.equal(lenient.divergence?.reason, 'anchor-unreadable')
  })
})
