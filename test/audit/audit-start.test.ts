import assert from 'node:assert/strict'
import { appendFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { AuditChain, GENESIS, lineDigest } from '../../src/audit/format/chain.ts'
import { CompactTree, leafHash } from '../../src/audit/format/merkle-tree.ts'
import { CHECKPOINTS, segmentName } from '../../src/audit/format/segments.ts'
import { openAuditWriter } from '../../src/audit/writing/open-audit-writer.ts'
import { logFolder, openLog, written } from './opened-log.ts'
import { auditOptions } from './options.ts'
import { readLog, until } from './records.ts'
import { assertVerifies, checkpointsOf } from './verified.ts'

/** What a start makes of a log that a crash left, or somebody without the key altered. */

const FIRST = segmentName(1, 1)

async function closedLog(test: TestContext, records: number): Promise<string> {
  const directory = logFolder(test)
  const writer = await openLog(test, directory)
  await written(writer, 2)
  await until('the first lines are signed', () => checkpointsOf(directory).length === 2)
  await written(writer, records)
  await writer.close()
  return directory
}

function linesOf(directory: string): string[] {
  return readFileSync(join(directory, FIRST), 'utf8').trimEnd().split('\n')
}

/** Lines from `from` on written anew, each chained to the one before: what somebody can do who has no key. */
function rewrite(directory: string, from: number, change: (record: Record<string, unknown>) => void): void {
  const lines = linesOf(directory)
  const kept = lines.slice(0, from - 1)
  const tree = new CompactTree()
  for (const line of kept) tree.push(leafHash(line))
  const last = kept.at(-1)
  const chain = new AuditChain(last === undefined ? GENESIS : { seq: kept.length, digest: lineDigest(last) }, tree)
  const anew = lines.slice(from - 1).flatMap((line) => {
    const { seq, prev, ...record } = JSON.parse(line) as Record<string, unknown>
    if (record.event === 'checkpoint') return []
    change(record)
    return [chain.seal(JSON.stringify(record)).trimEnd()]
  })
  writeFileSync(join(directory, FIRST), `${[...kept, ...anew].join('\n')}\n`)
}

const forge = (record: Record<string, unknown>) => {
  if (record.event === 'segment') record.checkpoint = null
  if (record.requestId === 'request-2') record.subject = 'mallory'
}

/** The last checkpoint taken off. */
function unsign(directory: string): number {
  const path = join(directory, CHECKPOINTS)
  const left = checkpointsOf(directory).at(-2)
  truncateSync(path, left?.end ?? 0)
  return left?.size ?? 0
}

describe('a start refuses', () => {
  it('a past that was written anew where every checkpoint was taken away', async (test) => {
    const directory = await closedLog(test, 10)
    rewrite(directory, 1, forge)
    rmSync(join(directory, CHECKPOINTS))
    await assert.rejects(openAuditWriter(auditOptions(directory)), /has lines, and audit\.checkpoints not one checkpoint/)
  })

  it('and so under another name of the log', async (test) => {
    const directory = await closedLog(test, 10)
    rewrite(directory, 1, (record) => {
      forge(record)
      if (record.event === 'segment') record.log = 'api.example.com/audit/0000000000000000'
    })
    rmSync(join(directory, CHECKPOINTS))
    await assert.rejects(openAuditWriter(auditOptions(directory)), /not one checkpoint/)
  })

  it('a lock whose journal is a pipe, rather than wait for it', async (test) => {
    const directory = logFolder(test)
    mkdirSync(join(directory, 'audit.lock-journal'), { recursive: true })
    await assert.rejects(openAuditWriter(auditOptions(directory)), /cannot be locked/)
  })
})

describe('a start names', () => {
  it('the lines that no checkpoint covered, also behind an orderly end', async (test) => {
    const directory = await closedLog(test, 10)
    const covered = unsign(directory)
    rewrite(directory, covered + 1, forge)
    const lines = linesOf(directory).length
    const writer = await openLog(test, directory)
    await written(writer, 1)
    await writer.close()
    const recovered = (await readLog(directory)).find(({ event }) => event === 'recovered') as unknown as Record<string, unknown>
    assert.deepEqual(recovered.unsigned, { from: covered + 1, to: lines })
  })

  it('segments that two kills in a row left without a word', async (test) => {
    const directory = await closedLog(test, 3)
    const lines = linesOf(directory).length
    const next = segmentName(lines + 1, 1)
    writeFileSync(join(directory, next), '')
    // The start after it came as far as its segment line, and no further.
    const tree = new CompactTree()
    for (const line of linesOf(directory)) tree.push(leafHash(line))
    const chain = new AuditChain({ seq: lines, digest: lineDigest(linesOf(directory).at(-1) ?? '') }, tree)
    const { log } = JSON.parse(linesOf(directory)[0] ?? '')
    const roots = tree.roots.map((root) => Buffer.from(root, 'latin1').toString('base64'))
    const checkpoint = checkpointsOf(directory).at(-1)?.digest
    const time = '2026-01-02T03:04:05.678Z'
    const link = chain.seal(JSON.stringify({ time, event: 'segment', log, cause: 'start', after: next, tree: roots, checkpoint }))
    writeFileSync(join(directory, segmentName(lines + 1, 2)), link)
    const writer = await openLog(test, directory)
    await written(writer, 1)
    await writer.close()
    const recovered = (await readLog(directory)).find(({ event }) => event === 'recovered')
    assert.deepEqual([recovered?.tornFile, recovered?.tornBytes], [next, 0])
    await assertVerifies(directory)
  })

  it('a gap that a power cut left among lines that were never synced, and goes on before it', async (test) => {
    const directory = await closedLog(test, 40)
    const covered = unsign(directory)
    const path = join(directory, FIRST)
    const text = readFileSync(path, 'utf8')
    const kept =
      text
        .split('\n')
        .slice(0, covered + 5)
        .join('\n').length + 1
    writeFileSync(path, Buffer.concat([Buffer.from(text.slice(0, kept)), Buffer.alloc(700), Buffer.from(text.slice(kept + 700))]))
    const writer = await openLog(test, directory)
    await written(writer, 1)
    await writer.close()
    const recovered = JSON.parse(
      readFileSync(join(directory, segmentName(covered + 6, 1)), 'utf8').split('\n')[1] ?? '',
    ) as Record<string, unknown>
    assert.deepEqual([recovered.tornFile, recovered.tornBytes], [FIRST, text.length - kept])
    await assertVerifies(directory)
    await (await openLog(test, directory)).close()
    await assertVerifies(directory)
  })
})

describe('the end of audit.checkpoints', () => {
  it('cut at any byte of the last note is named, taken off, and costs no other note', async (test) => {
    const directory = await closedLog(test, 3)
    const path = join(directory, CHECKPOINTS)
    const whole = readFileSync(path)
    const segment = readFileSync(join(directory, FIRST))
    const before = checkpointsOf(directory).at(-2)?.end ?? 0
    for (let length = before; length < whole.length; length += 7) {
      rmSync(directory, { recursive: true })
      mkdirSync(directory)
      writeFileSync(join(directory, FIRST), segment)
      writeFileSync(path, whole.subarray(0, length))
      await (await openLog(test, directory)).close()
      assert.deepEqual(readFileSync(path).subarray(0, before), whole.subarray(0, before), `cut at ${length}`)
      await assertVerifies(directory)
    }
  })

  it('with a byte that is no text behind it stops a start, and no note is touched', async (test) => {
    const directory = await closedLog(test, 3)
    const path = join(directory, CHECKPOINTS)
    appendFileSync(path, Buffer.alloc(300, 0xff))
    const altered = readFileSync(path)
    await assert.rejects(openAuditWriter(auditOptions(directory)), /The end of audit\.checkpoints was changed/)
    assert.deepEqual(readFileSync(path), altered)
  })
})

it('a change that would make a line too long for its readers is told by its digest', async (test) => {
  const directory = logFolder(test)
  const writer = await openLog(test, directory)
  const what = { files: Array.from({ length: 20_000 }, (_, index) => `${'0'.repeat(64)}  routes/${index}.yaml`) }
  await writer.appendChange({ changeId: 'c', time: '2026-01-02T03:04:05.678Z', action: 'key-created', by: 'test', what })
  await writer.close()
  const change = (await readLog(directory)).find(({ event }) => event === 'change') as unknown as {
    what: Record<string, unknown>
  }
  assert.deepEqual(Object.keys(change.what), ['tooLong', 'digest'])
  await assertVerifies(directory)
})
