import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { segmentName } from '../../../src/audit/format/segments.ts'
import { folder, verify } from './log-copies.ts'
import { SampleLog, sha256 } from './sample-log.ts'
import { type Case, closed, itVerifies, open } from './verify-cases.ts'

const NOTHING_TORN = { file: null, bytes: 0, digest: null } as const
/** What a power cut leaves when a page in the middle was never written: the end of a line, and whole ones. */
const GAP = `${'\0'.repeat(60)}"}\n${[9, 10].map((seq) => `{"seq":${seq},"prev":"${'0'.repeat(64)}","event":"x"}\n`).join('')}{"se`

/** The process was killed; the next start says `fields` of what it found. */
function killed(directory: string, fields: object): SampleLog {
  const log = open(directory)
  log.segment()
  log.event('recovered', fields)
  log.decisions(1)
  log.close()
  return log
}

/** A power cut left a gap, and the next start named it; `change`: of what it says. */
function gap(directory: string, change: object = {}): SampleLog {
  const log = open(directory)
  const torn = log.tear(GAP)
  log.segment()
  log.recovered({ ...torn, ...change })
  log.close()
  return log
}

const CASES: readonly Case[] = [
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
    name: 'lines that the start found unsigned, and names',
    make: (directory) => killed(directory, { unsigned: { from: 5, to: 7 } }),
    codes: [],
    notes:
      /^lines 5 to 7 were not signed when the gateway started at 2026-01-02T03:09:00\.000Z: they are as the gateway found them$/,
  },
  {
    name: 'lines that the start found unsigned, and does not name',
    make: (directory) => killed(directory, {}),
    codes: ['unsigned-unnamed'],
    says: /^lines 5 to 7 were not signed when the gateway started here, and no line `recovered` says so/,
  },
  {
    name: 'more of them than it names',
    make: (directory) => killed(directory, { unsigned: { from: 6, to: 7 } }),
    codes: ['unsigned-unnamed'],
  },
  {
    name: 'what it names is no stretch of lines before it',
    make: (directory) => killed(directory, { unsigned: { from: 1, to: 99 } }),
    codes: ['unsigned-unnamed'],
  },
  {
    name: 'unsigned lines behind which somebody wrote `closed`',
    make: (directory) => {
      const log = open(directory)
      log.event('closed')
      log.segment()
      log.close()
    },
    codes: ['unsigned-unnamed'],
    says: /^lines 5 to 8 were/,
  },
  {
    name: 'a start that was killed behind its first line, and one that names what both found',
    make: (directory) => {
      const log = open(directory)
      log.segment()
      log.segment()
      log.recovered(NOTHING_TORN)
      log.close()
    },
    codes: [],
    notes: /^lines 5 to 8 were/,
  },
  {
    name: 'the same, and the second names only the first line of the first',
    make: (directory) => {
      const log = open(directory)
      log.segment()
      log.segment()
      log.event('recovered', { unsigned: { from: 8, to: 8 } })
      log.close()
    },
    codes: ['unsigned-unnamed'],
  },
  {
    name: 'a start without a key, and one with a key that names what both found',
    make: (directory) => {
      const log = closed(directory)
      log.segment('start', 1, false)
      log.event('closed')
      log.segment('start')
      log.recovered(NOTHING_TORN)
      log.close()
    },
    codes: [],
    notes: /^lines 9 to 10 were/,
  },
  {
    name: 'starts of a log that nobody ever signed',
    make: (directory) => {
      const log = new SampleLog(directory)
      for (let start = 0; start < 3; start++) {
        log.segment()
        log.event('closed')
      }
    },
    codes: ['checkpoints-missing'],
  },
  { name: 'a gap with lines behind it, which the next start names', make: gap, codes: [], notes: /^lines 5 to 7 were/ },
  {
    name: 'such a gap, changed since',
    make: (directory) => {
      const file = join(directory, gap(directory).names[0] ?? '')
      writeFileSync(file, readFileSync(file, 'utf8').replace('"event":"x"', '"event":"y"'))
    },
    codes: ['torn-altered'],
  },
  {
    name: 'such a gap of another length',
    make: (directory) => {
      appendFileSync(join(directory, gap(directory).names[0] ?? ''), 'q')
    },
    codes: ['line-invalid', 'line-altered', 'line-misplaced', 'line-misplaced', 'line-misplaced', 'torn-unnamed', 'log-open'],
  },
  {
    name: 'such a gap in what was signed',
    make: (directory) => {
      const file = join(directory, gap(directory).names[0] ?? '')
      const lines = readFileSync(file, 'utf8').split(/(?<=\n)/)
      writeFileSync(file, [...lines.slice(0, 3), `${'\0'.repeat(200)}\n`, ...lines.slice(4)].join(''))
    },
    codes: ['line-invalid'],
    says: /here stands no line of the log, where line 4 belongs/,
  },
  {
    name: 'segments of two starts that were killed, which the third names',
    make: (directory) => {
      const log = open(directory)
      const torn = log.tear('{"se')
      const [first, second] = [segmentName(8, 1), segmentName(8, 2)]
      writeFileSync(join(directory, first), '')
      log.names.push(first, second)
      const half = log.tear('{"seq":8,')
      log.segment('start', 3)
      log.recovered(half, { file: first, bytes: 0, digest: sha256('') }, torn)
      log.close()
    },
    codes: [],
  },
]

describe('audit verify: starts after a crash', () => {
  itVerifies(CASES)

  it('many starts: the notes stay few', async (test) => {
    const directory = folder(test)
    const log = closed(directory)
    for (let start = 0; start < 120; start++) {
      log.segment()
      log.event('recovered', { unsigned: { from: 1, to: 1 } })
      log.checkpoint(false)
    }
    log.close()
    const { findings, notes } = await verify(directory)
    assert.deepEqual([findings, notes.length, notes.at(-1)], [[], 101, '20 more starts found lines that were not signed'])
  })
})
