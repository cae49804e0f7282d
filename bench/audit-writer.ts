import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { AuditChain, GENESIS } from '../src/audit/format/chain.ts'
import { CompactTree } from '../src/audit/format/merkle-tree.ts'
import type { AuditWriter } from '../src/audit/writing/audit-writer.ts'
import { openAuditWriter } from '../src/audit/writing/open-audit-writer.ts'
import { auditOptions } from '../test/audit/options.ts'
import { decision } from '../test/audit/records.ts'
import type { Row } from './audit-spread.ts'

/** Records appended in one turn of the event loop, and timed together: one alone is too short for the clock. */
const PER_TURN = 20
const TURNS = 250
const ROUNDS = 9

/** What `append` takes while a request waits for it, and what comes after it, per record. */
export async function measuredWriter(): Promise<Row[]> {
  const onRequest: number[] = []
  const behind: number[] = []
  // The first two rounds are for the compiler.
  for (let round = -2; round < ROUNDS; round += 1) {
    const { append, rest } = await writerRound()
    if (round < 0) continue
    onRequest.push(append)
    behind.push(rest)
  }
  return [
    { name: '`append`, on the request path', unit: 'µs', values: onRequest },
    { name: 'number, chain and tree', unit: 'µs', values: sealing() },
    { name: 'all that follows `append`, CPU', unit: 'µs', values: behind },
  ]
}

async function writerRound(): Promise<{ append: number; rest: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'planegate-bench-'))
  try {
    let recorded = 0
    const count = (records: number) => {
      recorded += records
    }
    const events = { ...auditOptions(directory).events, recorded: count }
    const writer = await openAuditWriter(auditOptions(directory, { events }))
    const { user, system } = process.cpuUsage()
    const appending = await turns(writer)
    await writer.close()
    const used = process.cpuUsage()
    assert.equal(recorded, PER_TURN * TURNS)
    const records = PER_TURN * TURNS
    return { append: appending / records, rest: (used.user - user + used.system - system - appending) / records }
  } finally {
    rmSync(directory, { recursive: true })
  }
}

/** Microseconds spent in `append`. Between two turns the writer gets to run, as it does between two requests. */
async function turns(writer: AuditWriter): Promise<number> {
  let appending = 0
  for (let turn = 0; turn < TURNS; turn += 1) {
    const records = Array.from({ length: PER_TURN }, (_, index) => decision({ requestId: `request-${turn}-${index}` }))
    const before = performance.now()
    for (const record of records) writer.append(record)
    appending += (performance.now() - before) * 1000
    await setImmediate()
  }
  return appending
}

function sealing(): number[] {
  const chain = new AuditChain(GENESIS, new CompactTree())
  const json = JSON.stringify(decision())
  const round = () => {
    const before = performance.now()
    for (let index = 0; index < 10_000; index += 1) chain.seal(json)
    return ((performance.now() - before) * 1000) / 10_000
  }
  round()
  const values = Array.from({ length: ROUNDS }, round)
  assert.equal(chain.head.seq, 10_000 * (ROUNDS + 1))
  return values
}
