import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { VerifyOptions } from '../../../src/audit/reading/verification.ts'
import { folder, verify } from './log-copies.ts'
import { SampleLog } from './sample-log.ts'

/** A log, and what is found in it. */
export interface Case {
  readonly name: string
  readonly make: (directory: string) => unknown
  readonly options?: Partial<VerifyOptions>
  /** Codes, in order; none: the log holds. */
  readonly codes: readonly string[]
  readonly says?: RegExp
  readonly notes?: RegExp
}

/** Seven lines, of which a checkpoint covers four. */
export function open(directory: string): SampleLog {
  const log = new SampleLog(directory)
  log.segment()
  log.decisions(3)
  log.checkpoint()
  log.decisions(2)
  return log
}

export function closed(directory: string): SampleLog {
  const log = open(directory)
  log.close()
  return log
}

/** Each with a directory of its own. */
export function itVerifies(cases: readonly Case[]): void {
  for (const { name, make, options, codes, says, notes } of cases) {
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
}
