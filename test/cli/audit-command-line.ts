import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { Pseudonyms } from '../../src/audit/format/pseudonyms.ts'
import { audit } from '../../src/cli/audit.ts'
import type { AuditWorld } from '../../src/cli/audit-world.ts'
import { folder } from '../audit/reading/log-copies.ts'
import { PUBLIC, SampleLog } from '../audit/reading/sample-log.ts'
import { decision } from '../audit/records.ts'
import { recordedIo } from './recorded-io.ts'

/** What commands a terminal, and what `JSON.stringify` leaves of it as it is. */
export const EVIL = 'x\u009b31mRED\u009d0;title\u009c\u202e\u2028\u061c'
export const COMMANDS = /[\u007f-\u009f\u061c\u2028-\u202e]/

const NOW = Date.parse('2026-01-02T12:00:00Z')
const PSEUDONYM_KEY = 'a key of forty characters, no less at all'

/** `planegate audit` beside a log of its own, of which nothing is written yet. `input`: what standard input holds. */
export function commandLine(test: TestContext, input = '') {
  const directory = join(folder(test), 'log')
  const log = new SampleLog(directory)
  const keyFile = join(directory, '..', 'audit.pub')
  writeFileSync(keyFile, PUBLIC.export({ type: 'spki', format: 'pem' }))
  let stop = () => {}
  const world: AuditWorld = {
    configured: () => ({ directory, pseudonymKey: { env: 'PSEUDONYM_KEY' } }),
    clock: { now: () => NOW },
    env: { PSEUDONYM_KEY },
    onStop: (end) => {
      stop = end
    },
    readInput: () => input,
  }
  const start = (...argv: string[]) => {
    const io = recordedIo()
    return { io, ended: audit(argv, io, world), stop: () => stop() }
  }
  const run = async (...argv: string[]) => {
    const { io, ended } = start(...argv)
    return { code: await ended, ...io.written }
  }
  return { log, directory, keyFile, run, start }
}

/** Requests of an hour, of two people, some refused. */
export function fill(log: SampleLog): void {
  log.segment()
  log.record(decision({ time: '2026-01-02T10:00:00.000Z', requestId: 'first' }))
  log.checkpoint()
  const refused = { decision: 'deny', code: 'scope-insufficient', reason: 'scopes', status: 403, subject: 'bob' } as const
  log.record(
    decision({
      ...refused,
      time: '2026-01-02T11:30:00.000Z',
      requestId: 'second',
      route: 'jobs',
      userAgent: 'evil\u001b[2J\u202e',
    }),
  )
  const pseudonym = new Pseudonyms(PSEUDONYM_KEY).of('subject', 'bob')
  log.record(decision({ time: '2026-01-02T11:50:00.000Z', requestId: 'third', subject: pseudonym }))
  const closed = {
    requestId: 'third',
    route: 'accounts-read',
    stream: 'websocket',
    code: 'credential-invalid',
    reason: 'revoked',
  }
  log.record({
    time: '2026-01-02T11:59:00.000Z',
    event: 'stream-closed',
    ...closed,
    credential: { kind: 'jwt', id: 'x' },
    session: null,
  })
  log.event('change', {
    changeId: 'c-1',
    action: 'revocation-added',
    by: 'command-line root@host',
    what: { kind: 'subject', subject: 'bob' },
  })
}
