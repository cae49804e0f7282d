import assert from 'node:assert/strict'
import { appendFileSync, copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { CHECKPOINTS } from '../../../src/audit/format/segments.ts'
import { folder, verify } from './log-copies.ts'
import { SampleLog, sha256 } from './sample-log.ts'
import { type Case, closed, itVerifies, open } from './verify-cases.ts'

const CASES: readonly Case[] = [
  { name: 'a log with an empty directory', make: () => {}, codes: ['log-missing'] },
  {
    name: 'no directory',
    make: (directory) => rmSync(directory, { recursive: true }),
    codes: ['directory-unreadable', 'log-missing'],
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
    name: 'a great many empty lines',
    make: (directory) => {
      closed(directory)
      writeFileSync(join(directory, 'audit-000000000009.jsonl.gz'), gzipSync(Buffer.alloc(5e6, '\n')))
    },
    codes: ['file-unreadable', 'compressed-unnamed'],
    says: /more than 1000 lines in it are no lines of a log/,
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

describe('audit verify: segments and other files', () => {
  itVerifies(CASES)

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
