import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { CHECKPOINTS } from '../../../src/audit/format/segments.ts'
import { takeAuditLock } from '../../../src/audit/writing/audit-lock.ts'
import { folder, verify } from './log-copies.ts'
import { OTHER_PRIVATE, OTHER_PUBLIC, PUBLIC, SampleLog } from './sample-log.ts'
import { crashedAndClosed } from './sample-logs.ts'
import { type Case, closed, itVerifies, open } from './verify-cases.ts'

const CASES: readonly Case[] = [
  { name: 'a closed log', make: closed, codes: [] },
  { name: 'a log that is not closed', make: open, codes: ['log-open'], says: /ends with line 7, which is not `closed`.*--open/ },
  {
    name: 'the same, open',
    make: open,
    options: { open: true },
    codes: [],
    notes: /^3 lines are not covered by a checkpoint yet$/,
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
]

describe('audit verify: lines and checkpoints', () => {
  itVerifies(CASES)

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
    assert.deepEqual((await at(log.notes[1], log.notes[3], log.notes[3])).findings, [])
    assert.deepEqual(
      (await at()).findings.map(({ code }) => code),
      ['anchors-missing'],
    )
    assert.deepEqual((await at(log.notes[1], 'api.example.com/au')).findings, [], 'a note that a crash cut short')
    assert.deepEqual(
      (await at(log.notes[1], log.notes[2]?.replace('\n\n', '\n\n!'))).findings.map(({ code }) => code),
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
      (await at(log.notes[1], other.checkpoint())).findings.map(({ code }) => code),
      ['log-cut'],
    )
    assert.deepEqual(
      (await at(log.notes[3], log.notes[1])).findings.map(({ code }) => code),
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
})
