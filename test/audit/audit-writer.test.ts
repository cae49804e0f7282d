import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { AuditOptions } from '../../src/audit/writing/audit-options.ts'
import type { AuditWriter } from '../../src/audit/writing/audit-writer.ts'
import { openAuditWriter } from '../../src/audit/writing/open-audit-writer.ts'
import type { DecisionRecord } from '../../src/domain/decision-record.ts'
import { auditFiles, auditOptions } from './options.ts'
import { decision, readChain, until } from './records.ts'

let root: string
let directory: string
let counts: { recorded: number; dropped: number; failed: string[]; restored: number }
const opened: AuditWriter[] = []

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'planegate-audit-'))
  directory = join(root, 'data', 'audit')
  counts = { recorded: 0, dropped: 0, failed: [], restored: 0 }
})

afterEach(async () => {
  for (const writer of opened.splice(0)) await writer.close().catch(() => undefined)
  rmSync(root, { recursive: true })
})

async function open(change: Partial<AuditOptions> = {}): Promise<AuditWriter> {
  const writer = await openAuditWriter(
    auditOptions(directory, {
      clock: { now: () => Date.parse('2026-01-02T03:04:05.678Z'), monotonic: () => performance.now() },
      events: {
        recorded: (count) => (counts.recorded += count),
        dropped: (count) => (counts.dropped += count),
        failed: (error) => counts.failed.push(error.message),
        restored: () => (counts.restored += 1),
        trouble: (error) => counts.failed.push(error.message),
      },
      ...change,
    }),
  )
  opened.push(writer)
  return writer
}

function appendMany(writer: AuditWriter, count: number, change: Partial<DecisionRecord> = {}): void {
  for (let i = 1; i <= count; i++) writer.append(decision({ requestId: `request-${i}`, ...change }))
}

const requestIds = async () => (await readChain(directory)).flatMap(({ requestId }) => requestId ?? [])

describe('audit writer', () => {
  it('writes the record with its number and the digest of the line before, from 64 zeros on', async () => {
    const writer = await open({ signing: null })
    writer.append(decision({ userAgent: 'Zoë "x"\n\ud800 €' }))
    writer.append(decision({ requestId: 'request-2' }))
    await writer.close()
    const text = readFileSync(join(directory, 'audit-000000000001.jsonl'), 'utf8')
    const [segment = '', first = '', second = '', closed = '', end] = text.split('\n')
    const { time, log, ...opening } = JSON.parse(segment)
    assert.match(log, /^api\.example\.com\/audit\/[0-9a-f]{16}$/)
    const prev = '0'.repeat(64)
    assert.deepEqual(opening, { seq: 1, prev, event: 'segment', cause: 'start', after: null, tree: [], checkpoint: null })
    const digest = (line: string) => createHash('sha256').update(line).digest('hex')
    assert.deepEqual(JSON.parse(first), { seq: 2, prev: digest(segment), ...decision({ userAgent: 'Zoë "x"\n\ud800 €' }) })
    assert.equal(JSON.parse(second).prev, digest(first))
    assert.deepEqual(JSON.parse(closed), { seq: 4, prev: digest(second), time, event: 'closed' })
    assert.equal(end, '')
    assert.equal(counts.recorded, 2)
  })

  it('keeps others out of directory and files', async () => {
    const writer = await open()
    writer.append(decision())
    await writer.close()
    const mode = (path: string) => (statSync(path).mode & 0o777).toString(8)
    assert.equal(mode(directory), '700')
    for (const file of ['audit-000000000001.jsonl', 'audit.checkpoints', 'audit.lock', 'audit.pid'])
      assert.equal(mode(join(directory, file)), '600', file)
  })

  it('writes by itself, without a close', async () => {
    const writer = await open()
    appendMany(writer, 3)
    await until('three lines are in the file', async () => (await readChain(directory)).length === 3)
    appendMany(writer, 2)
    await until('five lines are in the file', async () => (await readChain(directory)).length === 5)
  })

  it('continues number and chain in a new file at each start', async () => {
    for (let start = 0; start < 3; start++) {
      const writer = await open()
      appendMany(writer, 5)
      await writer.close()
    }
    assert.deepEqual(await auditFiles(directory), [
      'audit-000000000001.jsonl',
      'audit-000000000008.jsonl',
      'audit-000000000015.jsonl',
    ])
    assert.equal((await readChain(directory)).length, 15)
  })

  it('writes many batches of a long queue in order', async () => {
    const writer = await open()
    appendMany(writer, 9000)
    await writer.close()
    assert.deepEqual(
      await requestIds(),
      Array.from({ length: 9000 }, (_, i) => `request-${i + 1}`),
    )
    assert.equal(counts.recorded, 9000)
  })

  const filters: [string, Partial<AuditOptions>, Partial<DecisionRecord>, boolean][] = [
    ['an allowed request', { success: true }, {}, true],
    ['an allowed request without success', { success: false }, {}, false],
    ['a denial without success', { success: false }, { decision: 'deny', code: 'credential-missing' }, true],
    ['a limit', { limits: true }, { decision: 'deny', code: 'rate-limited' }, true],
    ['a limit without limits', { limits: false }, { decision: 'deny', code: 'rate-limited' }, false],
    ['a denial without limits', { limits: false, success: false }, { decision: 'deny', code: 'policy-denied' }, true],
  ]
  for (const [name, options, change, written] of filters) {
    it(`${written ? 'records' : 'leaves out'} ${name}`, async () => {
      const writer = await open(options)
      writer.append(decision(change))
      await writer.close()
      assert.equal((await readChain(directory)).length, written ? 1 : 0)
      assert.equal(counts.dropped, 0)
    })
  }
})

describe('audit writer after a crash', () => {
  const FIRST = 'audit-000000000001.jsonl'

  /** Not signed: what is cut off here would be missed otherwise, and that is tested elsewhere. */
  const unsigned: Partial<AuditOptions> = { signing: null }

  /** A log as a killed process leaves it: without its last line. */
  async function crashed(records: number): Promise<string> {
    const writer = await open(unsigned)
    appendMany(writer, records)
    await writer.close()
    const path = join(directory, FIRST)
    const text = readFileSync(path, 'utf8')
    truncateSync(path, text.lastIndexOf('{"seq":'))
    return path
  }

  async function crashedWith(change: (path: string) => void): Promise<string> {
    const path = await crashed(3)
    change(path)
    const evidence = readFileSync(path, 'utf8')
    const next = await open(unsigned)
    next.append(decision({ requestId: 'after' }))
    await next.close()
    assert.equal(readFileSync(path, 'utf8'), evidence, 'the torn file is left as it was')
    return evidence
  }

  const torn: [string, (path: string) => void, number][] = [
    ['nothing torn', () => {}, 4],
    ['half a line', (path) => truncateSync(path, statSync(path).size - 20), 3],
    ['a lost newline', (path) => truncateSync(path, statSync(path).size - 1), 3],
    ['zeros of a block never written', (path) => appendFileSync(path, Buffer.alloc(4096)), 4],
    ['zeros and the end of a line', (path) => appendFileSync(path, `${'\0'.repeat(100)}"status":200}\n`), 4],
    ['a torn end longer than one read', (path) => appendFileSync(path, 'x'.repeat(2_000_000)), 4],
    ['another kind of line', (path) => appendFileSync(path, '{"seq":"4"}\nnull\n'), 4],
  ]
  for (const [name, change, whole] of torn) {
    it(`goes on after the last whole record and names what is torn: ${name}`, async () => {
      const evidence = await crashedWith(change)
      const kept = evidence.split('\n').slice(0, whole).join('\n').length + 1
      const next = readFileSync(join(directory, `audit-${String(whole + 1).padStart(12, '0')}.jsonl`), 'utf8').split('\n')
      const lastWhole = evidence.split('\n')[whole - 1] ?? ''
      const link = JSON.parse(next[0] ?? '')
      assert.deepEqual([link.seq, link.event, link.after, link.tree.length], [whole + 1, 'segment', FIRST, whole === 3 ? 2 : 1])
      assert.equal(link.prev, createHash('sha256').update(lastWhole).digest('hex'))
      const bytes = evidence.length - kept
      const { seq, prev, time, ...recovered } = JSON.parse(next[1] ?? '')
      const digest = createHash('sha256').update(evidence.slice(kept)).digest('hex')
      assert.deepEqual(recovered, {
        event: 'recovered',
        tornFile: bytes === 0 ? null : FIRST,
        tornBytes: bytes,
        tornDigest: bytes === 0 ? null : digest,
      })
      assert.equal(JSON.parse(next[2] ?? '').requestId, 'after')
    })
  }

  it('keeps a file whose only line is torn and gives its number again under another name', async () => {
    await crashedWith((path) => truncateSync(path, 10))
    assert.deepEqual(await auditFiles(directory), [FIRST, 'audit-000000000001_2.jsonl'])
    const [recovered, after] = await readChain(directory)
    assert.equal(recovered?.tornFile, FIRST)
    assert.equal(recovered?.tornBytes, 10)
    assert.equal(after?.requestId, 'after')
  })

  it('names every torn file when the start after a crash was cut short too', async () => {
    appendFileSync(await crashed(1), '{"seq":3')
    writeFileSync(join(directory, 'audit-000000000003.jsonl'), '{"seq":3,"pre')
    await (await open(unsigned)).close()
    assert.deepEqual(await auditFiles(directory), [FIRST, 'audit-000000000003.jsonl', 'audit-000000000003_2.jsonl'])
    const recovered = (await readChain(directory)).at(-1)
    assert.equal(recovered?.tornFile, 'audit-000000000003.jsonl')
    assert.deepEqual(
      recovered?.alsoTorn?.map(({ file, bytes }) => [file, bytes]),
      [[FIRST, 8]],
    )
    await (await open(unsigned)).close()
    assert.equal((await readChain(directory)).filter(({ event }) => event === 'recovered').length, 1, 'named once')
  })

  it('reads files in the order they were written, not that of their names as text', async () => {
    await (await open()).close()
    rmSync(join(directory, FIRST))
    const names = [
      'audit-000000000002.jsonl',
      'audit-000000000002_2.jsonl',
      'audit-000000000002_10.jsonl',
      'audit-1000000000000.jsonl',
    ]
    for (const name of names.toReversed()) writeFileSync(join(directory, name), '')
    writeFileSync(join(directory, 'audit-copy.jsonl'), '')
    assert.deepEqual(await auditFiles(directory), names)
  })
})

describe('audit writer without a disk', () => {
  const away = () => join(root, 'away')

  it('refuses, keeps what it has and writes the same records when the directory is back', async () => {
    const writer = await open()
    appendMany(writer, 2)
    await until('the first records are on disk', () => counts.recorded === 2)
    renameSync(directory, away())
    writer.append(decision({ requestId: 'request-3' }))
    await until('the loss is noticed', () => counts.failed.length === 1)
    assert.equal(writer.available(), false)
    writer.append(decision({ requestId: 'request-4' }))
    renameSync(away(), directory)
    await until('it is restored', () => writer.available())
    await writer.close()
    assert.deepEqual(await requestIds(), ['request-1', 'request-2', 'request-3', 'request-4'])
    assert.deepEqual(counts, { recorded: 4, dropped: 0, failed: counts.failed, restored: 1 })
  })

  it('goes on in a new file when another directory took the place, and locks that', async () => {
    const writer = await open()
    writer.append(decision())
    await until('the first record is on disk', () => counts.recorded === 1)
    renameSync(directory, away())
    writer.append(decision({ requestId: 'request-2' }))
    await until('the loss is noticed', () => !writer.available())
    const { mkdirSync } = await import('node:fs')
    mkdirSync(directory)
    await until('it is restored', () => writer.available())
    await assert.rejects(open(), /in use by process/)
    await writer.close()
    const before = readFileSync(join(away(), 'audit-000000000001.jsonl'), 'utf8').trimEnd().split('\n')
    const [file = ''] = await auditFiles(directory)
    const written = readFileSync(join(directory, file), 'utf8').split('\n')
    const { prev, ...first } = JSON.parse(written[0] ?? '')
    assert.ok(before.some((line) => createHash('sha256').update(line).digest('hex') === prev))
    assert.equal(first.requestId ?? JSON.parse(written[1] ?? '').requestId, 'request-2')
  })

  it('says at close how many records were lost with the directory, and once that it failed', async () => {
    const writer = await open()
    writer.append(decision())
    await until('the first record is on disk', () => counts.recorded === 1)
    rmSync(directory, { recursive: true })
    appendMany(writer, 3)
    await until('the loss is noticed', () => !writer.available())
    await assert.rejects(writer.close(), /^Error: \d audit records could not be written before the stop: /)
    assert.equal(counts.failed.length, 1)
  })

  const size = JSON.stringify(decision()).length

  it('with deny, a full queue is unavailable; requests let in before still fit, refusals for this very reason do not', async () => {
    const writer = await open({ maxPending: 10 * size })
    appendMany(writer, 9)
    assert.equal(writer.available(), true)
    appendMany(writer, 2)
    assert.equal(writer.available(), false)
    appendMany(writer, 5)
    assert.equal(counts.dropped, 0)
    appendMany(writer, 4, { decision: 'deny', code: 'audit-unavailable' })
    assert.equal(counts.dropped, 4)
    appendMany(writer, 10)
    assert.ok(counts.dropped > 4, 'the reserve ends too')
    await until('there is room again', () => writer.available())
    await writer.close()
    const lines = await readChain(directory)
    const shed = lines.filter(({ event }) => event === 'shed')
    assert.equal(shed.length, 1)
    assert.equal(shed[0]?.count, counts.dropped)
    assert.equal(lines.length - 1 + counts.dropped, 9 + 2 + 5 + 4 + 10)
  })

  it('with shed, it stays available, drops what does not fit and writes down how many', async () => {
    const writer = await open({ maxPending: 10 * size, onUnavailable: 'shed' })
    writer.append(decision())
    await until('the first record is on disk', () => counts.recorded === 1)
    renameSync(directory, away())
    writer.append(decision())
    await until('the loss is noticed', () => counts.failed.length === 1)
    appendMany(writer, 20)
    assert.equal(writer.available(), true)
    assert.ok(counts.dropped >= 10, `${counts.dropped} dropped`)
    renameSync(away(), directory)
    await until('it is restored', () => counts.restored === 1)
    await writer.close()
    const lines = await readChain(directory)
    assert.deepEqual(
      lines.filter(({ event }) => event === 'shed').map(({ count }) => count),
      [counts.dropped],
    )
    assert.equal(lines.length - 1 + counts.dropped, 22)
  })

  it('takes nothing after close, and counts it', async () => {
    const writer = await open()
    await writer.close()
    writer.append(decision())
    assert.equal(writer.available(), false)
    assert.equal(counts.dropped, 1)
  })

  it('refuses a directory that another writer holds, and takes it when that one is closed', async () => {
    const first = await open()
    await assert.rejects(open(), new RegExp(`in use by process ${process.pid}; two gateways need two directories`))
    await first.close()
    await (await open()).close()
  })

  it('refuses a place where there can be no directory', async () => {
    writeFileSync(join(root, 'file'), '')
    await assert.rejects(open({ directory: join(root, 'file', 'audit') }), { code: 'ENOTDIR' })
  })
})
