import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DecisionRecord } from '../../src/domain/decision-record.ts'
import { auditFiles } from './options.ts'

/** An allowed request; tests change what they are about. */
export function decision(change: Partial<DecisionRecord> = {}): DecisionRecord {
  return {
    time: '2026-01-02T03:04:05.678Z',
    requestId: 'request-1',
    decision: 'allow',
    code: null,
    reason: null,
    route: 'accounts-read',
    plane: 'HUMAN_ONLY',
    actor: 'human',
    issuer: 'https://issuer.example.com',
    subject: 'alice',
    scopes: ['accounts:read'],
    roles: [],
    credential: { kind: 'jwt', id: 'a'.repeat(64) },
    session: null,
    method: 'GET',
    host: 'api.example.com',
    path: '/api/v1/accounts/7',
    clientIp: '192.0.2.1',
    userAgent: 'curl/8',
    status: 200,
    durationMs: 1.5,
    upstream: 'accounts',
    ...change,
  }
}

export interface Line {
  readonly seq: number
  readonly prev: string
  readonly requestId?: string
  readonly event?: string
  readonly count?: number
  readonly tornFile?: string
  readonly tornBytes?: number
  readonly tornDigest?: string
  readonly alsoTorn?: readonly { file: string; bytes: number; digest: string }[]
}

/** Lines in which the log speaks of its files, and of those of the configuration. */
const OF_FILES = new Set(['segment', 'configuration', 'checkpoint', 'compressed', 'closed'])

/** The records of a log in order, after checking number and digest of each line against the bytes before it. */
export async function readChain(directory: string): Promise<Line[]> {
  return (await readLog(directory)).filter(({ event }) => event === undefined || !OF_FILES.has(event))
}

/** The same, with the lines in which the log speaks of its files. */
export async function readLog(directory: string): Promise<Line[]> {
  const lines: Line[] = []
  let prev = '0'.repeat(64)
  for (const file of await auditFiles(directory)) {
    const text = readFileSync(join(directory, file), 'utf8')
    for (const line of text.split('\n').slice(0, -1)) {
      const record: Line = JSON.parse(line)
      assert.equal(record.seq, lines.length + 1, `number in ${file}`)
      assert.equal(record.prev, prev, `digest in ${file} at ${record.seq}`)
      prev = createHash('sha256').update(line).digest('hex')
      lines.push(record)
    }
  }
  return lines
}

/** Waits until something holds; fails with the sentence when it does not within 10 s. */
export async function until(sentence: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!(await holds())) {
    if (performance.now() > deadline) assert.fail(`never: ${sentence}`)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
