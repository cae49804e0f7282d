import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseCheckpoints, type WrittenCheckpoint } from '../../src/audit/format/checkpoint.ts'
import { CHECKPOINTS } from '../../src/audit/format/segments.ts'
import { type Verification, verifyLog } from '../../src/audit/reading/verify-log.ts'
import { AUDIT_KEY } from './options.ts'

/** Verifies a log that the key of the tests signed. */
export function verification(directory: string, change: Partial<Parameters<typeof verifyLog>[0]> = {}): Promise<Verification> {
  return verifyLog({ directory, keys: [AUDIT_KEY.publicKey], anchor: null, open: false, from: null, ...change })
}

/** Fails with the findings when a log does not verify. */
export async function assertVerifies(directory: string, change: Parameters<typeof verification>[1] = {}): Promise<Verification> {
  const result = await verification(directory, change)
  assert.deepEqual(result.findings, [])
  assert.equal(result.ok, true)
  return result
}

/** None where none were written. */
export function checkpointsOf(directory: string): WrittenCheckpoint[] {
  if (!existsSync(join(directory, CHECKPOINTS))) return []
  const { checkpoints, rest } = parseCheckpoints(readFileSync(join(directory, CHECKPOINTS)))
  assert.equal(rest, 0)
  return checkpoints
}
