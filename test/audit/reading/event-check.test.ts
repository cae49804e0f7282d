import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { EventCheck } from '../../../src/audit/reading/event-check.ts'
import { Findings, NOWHERE } from '../../../src/audit/reading/findings.ts'
import { Origin } from '../../../src/audit/reading/origin.ts'
import { TornEnds } from '../../../src/audit/reading/torn-ends.ts'
import { TreeCheck } from '../../../src/audit/reading/tree-check.ts'

const DIGEST = 'd'.repeat(64)
const SEGMENT = 'audit-000000000001.jsonl'

function eventCheck() {
  const findings = new Findings()
  const segments = new Set([SEGMENT])
  const parts = {
    tree: new TreeCheck(findings, []),
    torn: new TornEnds(findings, segments),
    origin: new Origin(findings),
    segments,
  }
  const check = new EventCheck(findings, parts)
  const take = (record: object) => check.take({ seq: 1, prev: '', record: { ...record } }, NOWHERE, () => false)
  return { findings, check, take }
}

describe('what a forged log says of itself fills no memory', () => {
  it('checkpoints that are not there', () => {
    const { findings, check, take } = eventCheck()
    for (let line = 0; line < 10_050; line++) take({ event: 'checkpoint', size: line, digest: DIGEST })
    assert.equal(check.missed.length, 10_000)
    check.finish(new Set([DIGEST]))
    assert.deepEqual(
      findings.inOrder().map(({ code, message }) => [code, message]),
      [['checkpoint-missing', '50 more lines name checkpoints that are not there']],
    )
  })

  it('digests that are none', () => {
    const { findings, check, take } = eventCheck()
    take({ event: 'checkpoint', size: 1, digest: `${DIGEST}${'d'.repeat(1e6)}` })
    assert.equal(check.missed[0]?.digest.length, 65)
    check.finish(new Set([DIGEST]))
    assert.equal(findings.count, 1)
  })

  it('segments that are not there', () => {
    const { check, take } = eventCheck()
    for (let line = 0; line < 10; line++) take({ event: 'compressed', file: `${line}.gz`, bytes: 1, digest: DIGEST })
    take({ event: 'compressed', file: `${SEGMENT}.gz`, bytes: 1, digest: DIGEST })
    assert.deepEqual([...check.compressed], [[SEGMENT, { bytes: 1, digest: DIGEST }]])
  })
})
