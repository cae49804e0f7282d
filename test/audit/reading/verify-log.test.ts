import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { CHECKPOINTS } from '../../../src/audit/format/segments.ts'
import type { VerifyOptions } from '../../../src/audit/reading/verification.ts'
import { takeAuditLock } from '../../../src/audit/writing/audit-lock.ts'
import { folder, verify } from './log-copies.ts'
import { OTHER_PRIVATE, OTHER_PUBLIC, PUBLIC, SampleLog, sha256 } from './sample-log.ts'
import { crashedAndClosed } from './sample-logs.ts'

interface Case {
  readonly name: string
  readonly make: (directory: string) => unknown
  readonly options?: Partial<VerifyOptions>
  /** Codes, in order; none: the log holds. */
  readonly codes: readonly string[]
  readonly says?: RegExp
  readonly notes?: RegExp
}

function open(directory: string): SampleLog {
  const log = new SampleLog(directory)
  log.segment()
  log.decisions(3)
  log.checkpoint()
  log.decisions(2)
  return log
}

function closed(directory: string): SampleLog {
  const log = open(directory)
  log.close()
  return log
}

const CASES: readonly Case[] = [
  { name: 'a closed log', make: closed, codes: [] },
  { name: 'a log with an empty directory', make: () => {}, codes: ['log-missing'] },
  {
    name: 'no directory',
    make: (directory) => rmSync(directory, { recursive: true }),
    codes: ['directory-unreadable', 'log-missing'],
  },
  { name: 'a log that is not closed', make: open, codes: ['log-open'], says: /ends with line 7, which is not `closed`.*--open/ },
  {
    name: 'the same, open',
    make: open,
    options: { open: true },
    codes: [],
    notes: /^3 lines are not covered by a checkpoint yet$/,
  },
  {
    name: 'a torn end',
    make: (directory) => open(directory).tear('{"se'),
    codes: ['torn-unnamed', 'log-open'],
    says: /4 bytes at the end/,
  },
  {
    name: 'a torn end, open',
    make: (directory) => open(directory).tear('{"se\n\0\0'),
    options: { open: true },
    codes: [],
    notes: /ends in 7 bytes/,
  },
  {
    name: 'a torn checkpoint, open',
    make: (directory) => {
      open(directory)
      appendFileSync(join(directory, CHECKPOINTS), '\napi.exa')
    },
    options: { open: true },
    codes: [],
  },
  {
    name: 'a torn checkpoint',
    make: (directory) => {
      closed(directory)
      appendFileSync(join(directory, CHECKPOINTS), '\napi.exa')
    },
    codes: ['checkpoint-invalid'],
  },
  {
    name: 'a whole checkpoint altered, open',
    make: (directory) => {
      open(directory)
      writeFileSync(join(directory, CHECKPOINTS), readFileSync(join(directory, CHECKPOINTS), 'utf8').replace('api.', 'ap\u0001.'))
    },
    options: { open: true },
    codes: ['checkpoint-invalid', 'checkpoints-missing', 'checkpoint-missing'],
  },
  {
    name: 'an unknown key',
    make: closed,
    options: { keys: [OTHER_PUBLIC] },
    codes: ['checkpoint-unsigned', 'checkpoint-unsigned', 'checkpoints-missing', 'checkpoint-missing'],
  },
  {
    name: 'a rotated key, both given',
    make: (directory) => {
      const log = open(directory)
      log.signWith(OTHER_PRIVATE)
      log.close()
    },
    options: { keys: [PUBLIC, OTHER_PUBLIC] },
    codes: [],
  },
  {
    name: 'closed without its final checkpoint',
    make: (directory) => open(directory).event('closed'),
    codes: ['log-uncovered'],
    says: /lines 5 to 8 are not covered/,
  },
  {
    name: 'a start that found the log other than signed',
    make: (directory) => {
      const log = open(directory)
      log.event('diverged', { reason: 'log-shorter', detail: 'The log has 5 lines.' })
      log.close()
    },
    codes: ['log-diverged'],
    says: /log-shorter: The log has 5 lines/,
  },
  {
    name: 'a file that is named like a segment',
    make: (directory) => {
      closed(directory)
      writeFileSync(join(directory, 'audit-7.jsonl'), '')
    },
    codes: ['file-unknown'],
  },
  {
    name: 'an empty segment',
    make: (directory) => {
      closed(directory)
      writeFileSync(join(directory, 'audit-000000000099.jsonl'), '')
    },
    codes: ['segment-empty'],
  },
  {
    name: 'an empty segment, open',
    make: (directory) => {
      open(directory)
      writeFileSync(join(directory, 'audit-000000000099.jsonl'), '')
    },
    options: { open: true },
    codes: [],
  },
  {
    name: 'older segments archived',
    make: (directory) => archived(directory),
    codes: ['log-beginning'],
    says: /--from 6 verifies the rest/,
  },
  { name: 'older segments archived, said so', make: (directory) => archived(directory), options: { from: 6 }, codes: [] },
  { name: 'from a line in the middle of a segment', make: closed, options: { from: 3 }, codes: ['log-beginning', 'log-missing'] },
  {
    name: 'from a segment that is there with older ones',
    make: (directory) => archived(directory, false),
    options: { from: 6 },
    codes: [],
  },
  { name: 'a segment that begins with another line', make: makeshift, codes: [], notes: /begins without a `segment` line/ },
  { name: 'a symbolic link to a segment', make: linked, codes: [] },
  {
    name: 'a symbolic link to nowhere',
    make: (directory) => {
      closed(directory)
      rmSync(join(directory, 'audit-000000000001.jsonl'))
      symlinkSync('nowhere', join(directory, 'audit-000000000001.jsonl'))
    },
    codes: ['file-unreadable', 'log-missing'],
  },
  {
    name: 'a directory in the place of a segment',
    make: (directory) => {
      closed(directory)
      mkdirSync(join(directory, 'audit-000000000009.jsonl'))
    },
    codes: ['file-unreadable'],
  },
  {
    name: 'a directory in the place of the checkpoints',
    make: (directory) => {
      closed(directory)
      rmSync(join(directory, CHECKPOINTS))
      mkdirSync(join(directory, CHECKPOINTS))
    },
    codes: ['checkpoint-missing', 'checkpoints-missing'],
  },
  {
    name: 'a line without end',
    make: (directory) => {
      closed(directory)
      appendFileSync(join(directory, 'audit-000000000001.jsonl'), Buffer.alloc(3e6, 'x'))
    },
    codes: ['torn-unnamed'],
  },
  {
    name: 'deep JSON and bytes that are no text',
    make: (directory) => {
      closed(directory)
      appendFileSync(
        join(directory, 'audit-000000000001.jsonl'),
        `{"seq":9,"prev":"${'0'.repeat(64)}","x":${'['.repeat(9e5)}}\n\xff\n`,
        'latin1',
      )
    },
    codes: ['torn-unnamed'],
  },
  {
    name: 'a gzip bomb',
    make: (directory) => {
      closed(directory)
      writeFileSync(join(directory, 'audit-000000000009.jsonl.gz'), gzipSync(Buffer.alloc(1e8)))
    },
    codes: ['torn-unnamed', 'compressed-unnamed'],
  },
  {
    name: 'no gzip',
    make: (directory) => {
      closed(directory)
      writeFileSync(join(directory, 'audit-000000000009.jsonl.gz'), 'x')
    },
    codes: ['file-unreadable', 'compressed-unnamed'],
  },
  { name: 'a compression cut short', make: (directory) => doubled(directory), codes: [], notes: /is there a second time/ },
  { name: 'another compressed copy', make: (directory) => doubled(directory, '!'), codes: ['file-double'] },
]

describe('audit verify', () => {
  for (const { name, make, options, codes, says, notes } of CASES) {
    it(`${name}: ${codes.join(', ') || 'holds'}`, async (test) => {
      const directory = folder(test)
      await make(directory)
      const result = await verify(directory, options)
      assert.deepEqual(
        result.findings.map(({ code }) => code),
        codes,
        JSON.stringify(result.findings),
      )
      assert.equal(result.ok, codes.length === 0)
      if (says) assert.match(result.findings[0]?.message ?? '', says)
      if (notes) assert.match(result.notes.join('\n'), notes)
    })
  }

  it('says which process is writing', async (test) => {
    const directory = folder(test)
    open(directory)
    const lock = takeAuditLock(directory)
    const { findings } = await verify(directory)
    lock.release()
    assert.match(findings[0]?.message ?? '', new RegExp(`process ${process.pid} is writing it; --open`))
    assert.doesNotMatch((await verify(directory)).findings[0]?.message ?? '', /is writing/)
  })

  it('an anchor with gaps agrees; with a root of another history it does not, and neither does one that is longer than the log', async (test) => {
    const directory = folder(test)
    const log = crashedAndClosed(join(directory, 'log'), 3)
    const anchor = join(directory, 'anchor')
    const at = (...notes: readonly (string | undefined)[]) => {
      writeFileSync(anchor, notes.join('\n'))
      return verify(log.directory, { anchor })
    }
    assert.deepEqual((await at(log.notes[0], log.notes[2], log.notes[2])).findings, [])
    assert.deepEqual(
      (await at()).findings.map(({ code }) => code),
      ['anchors-missing'],
    )
    assert.deepEqual((await at(log.notes[0], 'api.example.com/au')).findings, [], 'a note that a crash cut short')
    assert.deepEqual(
      (await at(log.notes[0], log.notes[1]?.replace('\n\n', '\n\n!'))).findings.map(({ code }) => code),
      ['anchor-invalid'],
    )
    const other = new SampleLog(join(directory, 'other'))
    other.segment()
    other.decisions(4)
    const short = await at(other.checkpoint())
    assert.deepEqual(
      short.findings.map(({ code, seq }) => [code, seq]),
      [['anchor-mismatch', 5]],
    )
    other.decisions(40)
    assert.deepEqual(
      (await at(log.notes[0], other.checkpoint())).findings.map(({ code }) => code),
      ['log-cut'],
    )
    assert.deepEqual(
      (await at(log.notes[2], log.notes[0])).findings.map(({ code }) => code),
      ['anchor-order'],
    )
  })

  it('names torn ends, records that were shed, times and keys', async (test) => {
    const directory = folder(test)
    const log = new SampleLog(directory)
    log.segment()
    log.event('shed', { count: 3 })
    const torn = log.tear('\0\0\n\0')
    log.segment()
    log.recovered(torn)
    log.event('shed', { count: 4 })
    log.close()
    const { torn: named, shed, lines, segments, checkpoints, covered, firstTime, lastTime, signers } = await verify(directory)
    assert.deepEqual(
      { named, shed, lines, segments, checkpoints, covered },
      { named: [torn], shed: 7, lines: 6, segments: 2, checkpoints: 1, covered: 6 },
    )
    assert.deepEqual([firstTime, lastTime, signers.length], ['2026-01-02T03:01:00.000Z', '2026-01-02T03:06:00.000Z', 1])
  })

  it('more than twenty findings are twenty', async (test) => {
    const directory = folder(test)
    closed(directory)
    for (let copy = 2; copy < 40; copy++)
      copyFileSync(join(directory, 'audit-000000000001.jsonl'), join(directory, `audit-000000000001_${copy}.jsonl`))
    const { findings, ok } = await verify(directory)
    assert.deepEqual([ok, findings.length], [false, 20])
  })
})

/** Its second segment begins with line 6. */
function archived(directory: string, gone = true): void {
  const log = new SampleLog(directory)
  const first = log.segment()
  log.decisions(2)
  log.checkpoint()
  log.decisions(1)
  log.checkpoint(false)
  log.segment('size')
  log.decisions(5)
  log.close()
  if (gone) rmSync(join(directory, first))
}

/** The second segment was begun while the first had been moved away, and has no `segment` line. */
function makeshift(directory: string): void {
  const log = closed(directory)
  const file = join(directory, log.names[0] ?? '')
  const lines = readFileSync(file, 'utf8').split(/(?<=\n)/)
  writeFileSync(file, lines.slice(0, 3).join(''))
  writeFileSync(join(directory, 'audit-000000000004.jsonl'), lines.slice(3).join(''))
}

function linked(directory: string): void {
  closed(directory)
  renameSync(join(directory, 'audit-000000000001.jsonl'), join(directory, 'elsewhere'))
  symlinkSync('elsewhere', join(directory, 'audit-000000000001.jsonl'))
}

/** The first segment is there both ways. */
function doubled(directory: string, more = ''): void {
  const log = new SampleLog(directory)
  const first = log.segment()
  log.decisions(2)
  log.checkpoint(false)
  log.segment('size')
  const content = readFileSync(join(directory, first))
  const packed = gzipSync(Buffer.concat([content, Buffer.from(more)]))
  writeFileSync(join(directory, `${first}.gz`), packed)
  log.event('compressed', { file: `${first}.gz`, bytes: packed.length, digest: sha256(packed) })
  log.close()
}
