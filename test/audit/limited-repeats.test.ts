import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LimitedRepeats } from '../../src/audit/writing/limited-repeats.ts'
import type { DecisionRecord } from '../../src/domain/decision-record.ts'

function gathering() {
  let now = 0
  const written: DecisionRecord[] = []
  const repeats = new LimitedRepeats((record) => written.push(record), { now: () => 0, monotonic: () => now })
  return {
    repeats,
    written,
    advance: (ms: number) => {
      now += ms
    },
  }
}

const refused = (overrides: Partial<DecisionRecord> = {}) =>
  ({
    requestId: 'r',
    decision: 'deny',
    code: 'rate-limited',
    reason: 'address-limit',
    route: null,
    credential: null,
    clientIp: '192.0.2.1',
    ...overrides,
  }) as DecisionRecord

test('the first refusal of a key is recorded at once, those that follow within a minute as one with their number', () => {
  const { repeats, written, advance } = gathering()
  for (let index = 1; index <= 50; index += 1) repeats.append(refused({ requestId: `r${index}` }))
  assert.deepEqual(
    written.map(({ requestId, count }) => [requestId, count]),
    [['r1', 1]],
  )
  advance(59_999)
  repeats.flush(false)
  assert.equal(written.length, 1)
  advance(1)
  repeats.flush(false)
  assert.deepEqual(
    written.map(({ requestId, count }) => [requestId, count]),
    [
      ['r1', 1],
      ['r50', 49],
    ],
  )
  repeats.append(refused({ requestId: 'r51' }))
  assert.deepEqual([written.length, written.at(-1)?.count], [3, 1])
  repeats.flush(true)
  assert.equal(written.length, 3)
})

test('a minute that nobody looked at ends with the next refusal', () => {
  const { repeats, written, advance } = gathering()
  repeats.append(refused())
  repeats.append(refused())
  advance(60_000)
  repeats.append(refused())
  assert.deepEqual(
    written.map(({ count }) => count),
    [1, 1, 1],
  )
  repeats.flush(true)
})

test('a key that begins its next minute holds back nobody else', () => {
  const { repeats, written, advance } = gathering()
  const other = { clientIp: '192.0.2.2' }
  repeats.append(refused())
  advance(500)
  for (let round = 0; round < 3; round += 1) repeats.append(refused(other))
  advance(59_600)
  repeats.append(refused())
  advance(500)
  repeats.flush(false)
  assert.equal(written.find((record) => record.clientIp === other.clientIp && record.count === 2)?.count, 2)
  repeats.flush(true)
})

test('other keys, other reasons and other codes are recorded apart', () => {
  const { repeats, written } = gathering()
  const apart = [
    refused(),
    refused({ clientIp: '192.0.2.2' }),
    refused({ reason: 'failure-limit' }),
    refused({ reason: 'subject-limit', route: 'a', credential: { kind: 'jwt', id: 'x' } }),
    refused({ reason: 'subject-limit', route: 'a', credential: { kind: 'jwt', id: 'y' } }),
    refused({ code: 'credential-invalid' }),
    refused({ code: 'credential-invalid' }),
  ]
  for (const record of apart) repeats.append(record)
  assert.equal(written.length, apart.length)
  assert.equal(written.at(-1)?.count, undefined)
  repeats.flush(true)
  assert.equal(written.length, apart.length)
})

test('a flood of addresses makes no flood of records, and no refusal goes uncounted', () => {
  const { repeats, written } = gathering()
  for (let index = 0; index < 50_000; index += 1)
    repeats.append(refused({ clientIp: `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}` }))
  repeats.flush(true)
  assert.ok(written.length < 10_010)
  assert.equal(
    written.reduce((sum, { count }) => sum + (count ?? 0), 0),
    50_000,
  )
})
