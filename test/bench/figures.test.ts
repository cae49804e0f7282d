import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCores } from '../../bench/lab/cores.ts'
import { spreadText, type Target, table, targetText, verdict } from '../../bench/lab/report.ts'
import { quantile, ratios, rotated, spreadOf } from '../../bench/lab/statistics.ts'
import { resultOf } from '../../bench/load/wrk.ts'
import { cpuRatios } from '../../bench/scenarios/scenario.ts'

test('a spread is the middle and both ends, whatever the order', () => {
  const cases = [
    { figures: [3, 1, 2], expected: { median: 2, min: 1, max: 3 } },
    { figures: [4, 1, 3, 2], expected: { median: 2.5, min: 1, max: 4 } },
    { figures: [10, 9], expected: { median: 9.5, min: 9, max: 10 } },
    { figures: [7], expected: { median: 7, min: 7, max: 7 } },
    { figures: [], expected: { median: Number.NaN, min: Number.NaN, max: Number.NaN } },
  ]
  for (const { figures, expected } of cases) assert.deepEqual(spreadOf(figures), expected)
})

test('a quantile lies between the two figures that are nearest', () => {
  const figures = Array.from({ length: 101 }, (_, index) => index)
  for (const [share, expected] of [
    [0, 0],
    [0.5, 50],
    [0.99, 99],
    [0.995, 99.5],
    [1, 100],
  ] as const)
    assert.equal(quantile(figures, share), expected)
})

test('ratios are taken round by round, so that a machine that slows down changes none', () => {
  assert.deepEqual(ratios([10, 20, 40], [20, 40, 80]), { median: 0.5, min: 0.5, max: 0.5 })
  assert.deepEqual(ratios([1, 9], [1, 3, 5]), { median: 2, min: 1, max: 3 })
})

test('each round begins with another contestant and has all of them', () => {
  assert.deepEqual(
    [0, 1, 2, 3].map((round) => rotated(['a', 'b', 'c'], round).join('')),
    ['abc', 'bca', 'cab', 'abc'],
  )
  assert.deepEqual(rotated([], 3), [])
})

test('a target is met or missed by the median', () => {
  const cases: [number, Target, 'ok' | 'missed'][] = [
    [0.99, { kind: 'below', value: 1 }, 'ok'],
    [1, { kind: 'below', value: 1 }, 'missed'],
    [1, { kind: 'at most', value: 1 }, 'ok'],
    [1.01, { kind: 'at most', value: 1 }, 'missed'],
    [0.4, { kind: 'at least', value: 0.4 }, 'ok'],
    [0.39, { kind: 'at least', value: 0.4 }, 'missed'],
    [Number.NaN, { kind: 'at most', value: 1 }, 'missed'],
    [Number.NaN, { kind: 'at least', value: 1 }, 'missed'],
  ]
  for (const [median, target, expected] of cases) assert.equal(verdict(median, target), expected, `${median} ${target.kind}`)
  assert.equal(targetText({ kind: 'at most', value: 1, aim: 0.85 }), 'at most 1, aim 0.85')
})

test('a table is as wide as its widest cells, also without headings', () => {
  const text = table(
    ['name', ''],
    [
      ['a', spreadText({ median: 1, min: 0.5, max: 2 }, 1)],
      ['longer', 'x'],
    ],
  )
  assert.equal(
    text,
    [
      '| name   |                |',
      '| ------ | -------------: |',
      '| a      | 1.0 (0.5..2.0) |',
      '| longer |              x |',
    ].join('\n'),
  )
})

test('who is not there has no ratio', () => {
  const series = ['ours', 'theirs'].map((name) => ({ name, cpu: [1, 2], perSecond: [], busy: [] }))
  const names = cpuRatios(series, 'ours', { theirs: null, absent: null }).map(({ name }) => name)
  assert.deepEqual(names, ['ours / theirs'])
  assert.deepEqual(cpuRatios(series, 'absent', { theirs: null }), [])
})

test('cores are read as the kernel lists them', () => {
  const cases: [string, number[]][] = [
    ['0', [0]],
    ['0-1', [0, 1]],
    ['0-2,5,7-8', [0, 1, 2, 5, 7, 8]],
  ]
  for (const [list, expected] of cases) assert.deepEqual(parseCores(list), expected)
})

const REPORT = `Running 1s test @ http://127.0.0.1:1/things/1
  1 threads and 50 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    10.10ms    2.10ms  40.00ms   90.00%
  12345 requests in 1.00s, 2.30MB read
Requests/sec:  12300.50
Transfer/sec:      2.30MB
`

test('a report of the load generator counts only when nothing failed', () => {
  assert.deepEqual(resultOf(REPORT), { requests: 12_345, perSecond: 12_300.5 })
  const failures = [
    { name: 'refused answers', text: `${REPORT}  Non-2xx or 3xx responses: 7\n`, says: /7 of 12345 answers were refusals/ },
    { name: 'broken connections', text: `${REPORT}  Socket errors: connect 0, read 3, write 0, timeout 0\n`, says: /read 3/ },
    { name: 'no answer at all', text: REPORT.replace('12345 requests', '0 requests'), says: /failures/ },
    { name: 'no report', text: 'unable to connect to 127.0.0.1:1', says: /unable to connect/ },
  ]
  for (const { name, text, says } of failures) assert.throws(() => resultOf(text), says, name)
})
