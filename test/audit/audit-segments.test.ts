import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'
import type { AuditOptions } from '../../src/audit/writing/audit-options.ts'
import type { AuditWriter } from '../../src/audit/writing/audit-writer.ts'
import { openAuditWriter } from '../../src/audit/writing/open-audit-writer.ts'
import { auditFiles, auditOptions } from './options.ts'
import { decision, readChain, readLog, until } from './records.ts'
import { assertVerifies, checkpointsOf, verification } from './verified.ts'

const DAY = 86_400_000

function folder(test: TestContext): string {
  const root = mkdtempSync(join(tmpdir(), 'planegate-segments-'))
  test.after(() => rmSync(root, { recursive: true, force: true }))
  return join(root, 'audit')
}

async function open(test: TestContext, directory: string, change: Partial<AuditOptions> = {}): Promise<AuditWriter> {
  const writer = await openAuditWriter(auditOptions(directory, change))
  test.after(() => writer.close().catch(() => undefined))
  return writer
}

/** Records, the last of them on disk when this resolves. */
async function written(writer: AuditWriter, count: number): Promise<void> {
  for (let number = 1; number < count; number++) writer.append(decision({ requestId: `request-${number}` }))
  await writer.appendChange({ changeId: 'c', time: '2026-01-02T03:04:05.678Z', action: 'key-revoked', by: 'test', what: {} })
}

describe('segments', () => {
  it('end at their size; each begins with a link to the one before and is closed by a checkpoint', async (test) => {
    const directory = folder(test)
    const segment = { size: 20_000, age: DAY, compressAfter: DAY }
    const writer = await open(test, directory, { segment })
    for (let round = 0; round < 5; round++) await written(writer, 60)
    await writer.close()
    const files = await auditFiles(directory)
    assert.ok(files.length >= 4, files.join())
    const links = (await readLog(directory)).filter(({ event }) => event === 'segment') as unknown as Record<string, unknown>[]
    assert.deepEqual(
      links.map(({ after }) => after),
      [null, ...files.slice(0, -1)],
    )
    assert.deepEqual(
      links.map(({ cause }) => cause),
      ['start', ...files.slice(1).map(() => 'size')],
    )
    const ends = links.slice(1).map(({ seq }) => Number(seq) - 1)
    const signed = checkpointsOf(directory).map(({ size }) => size)
    assert.ok(ends.every((end) => signed.includes(end)))
    await assertVerifies(directory)
    assert.equal((await readChain(directory)).length, 300)
  })

  it('end at their age', async (test) => {
    const directory = folder(test)
    let now = 0
    const clock = { now: () => Date.now(), monotonic: () => performance.now() + now }
    const writer = await open(test, directory, { clock })
    await written(writer, 2)
    now += DAY
    await written(writer, 2)
    await written(writer, 2)
    await writer.close()
    const links = (await readLog(directory)).filter(({ event }) => event === 'segment') as unknown as Record<string, unknown>[]
    assert.deepEqual(
      links.map(({ cause }) => cause),
      ['start', 'age'],
    )
    await assertVerifies(directory)
  })

  it('are read from their beginning only, as far back as the newest checkpoint: what lies before is not touched at a start', async (test) => {
    const directory = folder(test)
    for (let start = 0; start < 3; start++) {
      const writer = await open(test, directory)
      await written(writer, 5)
      await writer.close()
    }
    const [first = '', second = ''] = await auditFiles(directory)
    writeFileSync(join(directory, first), 'nothing')
    await (await open(test, directory)).close()
    writeFileSync(join(directory, second), 'nothing')
    await (await open(test, directory)).close()
    assert.equal((await verification(directory)).ok, false)
  })
})

describe('compression', () => {
  const segment = { size: 20_000, age: DAY, compressAfter: 0 }

  it('of segments that have ended; their lines verify and are the same', async (test) => {
    const directory = folder(test)
    const first = await open(test, directory)
    await written(first, 100)
    await first.close()
    const [name = ''] = await auditFiles(directory)
    const plain = readFileSync(join(directory, name))
    const writer = await open(test, directory, { segment })
    await written(writer, 2)
    await until('it is compressed', () => existsSync(join(directory, `${name}.gz`)) && !existsSync(join(directory, name)))
    await writer.close()
    assert.deepEqual(gunzipSync(readFileSync(join(directory, `${name}.gz`))), plain)
    assert.ok(statSync(join(directory, `${name}.gz`)).size < plain.length / 2)
    assert.equal(statSync(join(directory, `${name}.gz`)).mode & 0o777, 0o600)
    await assertVerifies(directory)
    await (await open(test, directory)).close()
    await assertVerifies(directory)
  })

  it('begun and not ended is done again; until then both files are one segment', async (test) => {
    const directory = folder(test)
    const first = await open(test, directory)
    await written(first, 10)
    await first.close()
    const [name = ''] = await auditFiles(directory)
    const plain = readFileSync(join(directory, name))
    const second = await open(test, directory, { segment })
    await until('it is compressed', () => !existsSync(join(directory, name)))
    await second.close()
    // As when the process died before the old file was deleted.
    writeFileSync(join(directory, name), plain)
    await assertVerifies(directory)
    utimesSync(join(directory, name), new Date(0), new Date(0))
    const third = await open(test, directory, { segment })
    await until('it is compressed again', () => !existsSync(join(directory, name)))
    await third.close()
    await assertVerifies(directory)
  })

  it('leaves a torn segment as it is', async (test) => {
    const directory = folder(test)
    const first = await open(test, directory, { signing: null })
    await written(first, 3)
    await first.close()
    const [name = ''] = await auditFiles(directory)
    const text = readFileSync(join(directory, name), 'utf8')
    writeFileSync(join(directory, name), text.slice(0, -20))
    const writer = await open(test, directory, { signing: null, segment })
    await written(writer, 2)
    await writer.close()
    const last = await open(test, directory, { signing: null, segment })
    await until('the one after it is compressed', async () => (await auditFiles(directory)).some((file) => file.endsWith('.gz')))
    await last.close()
    assert.equal(readFileSync(join(directory, name), 'utf8'), text.slice(0, -20))
  })
})
