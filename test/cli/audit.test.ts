import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Pseudonyms } from '../../src/audit/format/pseudonyms.ts'
import { audit } from '../../src/cli/audit.ts'
import type { AuditWorld } from '../../src/cli/audit-world.ts'
import { folder } from '../audit/reading/log-copies.ts'
import { ORIGIN, OTHER_PUBLIC, PRIVATE, PUBLIC, SampleLog } from '../audit/reading/sample-log.ts'
import { decision, until } from '../audit/records.ts'
import { recordedIo } from './recorded-io.ts'

const NOW = Date.parse('2026-01-02T12:00:00Z')
const PSEUDONYM_KEY = 'a key of forty characters, no less at all'

function commandLine(test: TestContext, input = '') {
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
function fill(log: SampleLog): void {
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

describe('planegate audit: wrong usage is exit code 2', () => {
  const wrong: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['no verb', [], /say what to do: verify, prove, show, tail/],
    ['another verb', ['constructor'], /say what to do/],
    ['verify without directory', ['verify', '--key', 'KEY'], /say which directory/],
    ['verify without key', ['verify', '.'], /--key is needed/],
    ['verify with an unreadable key', ['verify', '.', '--key', '/nowhere'], /holds no Ed25519 key/],
    ['verify from nothing', ['verify', '.', '--key', 'KEY', '--from', '0'], /--from takes a whole number/],
    ['verify with an anchor that is not there', ['verify', '.', '--key', 'KEY', '--anchor', '/nowhere'], /--anchor takes a file/],
    ['prove nothing', ['prove', '--key', 'KEY'], /say which line/],
    ['prove and check', ['prove', '1', '--check', '-', '--key', 'KEY'], /say which line/],
    ['prove no number', ['prove', 'x', '--key', 'KEY'], /whole number/],
    ['show everything', ['show'], /say which records/],
    ['show since whenever', ['show', '--since', 'yesterday'], /--since takes an age/],
    ['show what may be a key', ['show', '--request', 'pgk_live_abc'], /never nothing, a token or a key/],
    ['tail of minus one', ['tail', '--no-follow', '-n', '1x'], /-n takes/],
  ]
  for (const [name, argv, says] of wrong) {
    it(name, async (test) => {
      const { run, keyFile } = commandLine(test)
      const { code, out, err } = await run(...argv.map((word) => (word === 'KEY' ? keyFile : word)))
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, says)
    })
  }
})

describe('planegate audit verify', () => {
  it('says what holds, and takes a private key as well', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    const { code, out } = await run('verify', directory, '--key', keyFile)
    assert.equal(code, 0)
    assert.match(out, /^The log holds: 8 lines in 1 segments; 2 checkpoints cover 8 lines\.\n {2}log {8}api\.example\.com/)
    writeFileSync(keyFile, PRIVATE.export({ type: 'pkcs8', format: 'pem' }))
    assert.deepEqual(await run('verify', directory, '--key', keyFile), { code: 0, out, err: '' })
  })

  it('names the first line that does not hold', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    const file = join(directory, log.names[0] ?? '')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"bob"', '"eve"'))
    const { code, out } = await run('verify', directory, '--key', keyFile)
    assert.equal(code, 1)
    assert.match(
      out,
      /^audit-000000000001\.jsonl:4: line-altered: line 4 was altered: .* \(line 4 of the log, byte \d+ of the file\)\nThe log does not hold: 1 findings/,
    )
    const json = await run('verify', directory, '--key', keyFile, '--json')
    const { ok, lines, findings } = JSON.parse(json.out)
    assert.deepEqual(
      [json.code, ok, lines, findings[0].code, findings[0].line, findings[0].seq],
      [1, false, 8, 'line-altered', 4, 4],
    )
  })

  it('is a verb of the command line', (test) => {
    const { log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    const main = join(import.meta.dirname, '../../src/main.ts')
    const run = () =>
      spawnSync(process.execPath, [main, 'audit', 'verify', directory, '--key', keyFile, '--json'], { encoding: 'utf8' })
    assert.deepEqual([run().status, JSON.parse(run().stdout).ok], [0, true])
    rmSync(join(directory, 'audit.checkpoints'))
    assert.equal(run().status, 1)
  })
})

describe('planegate audit prove', () => {
  it('writes a proof that --check accepts with nothing but the key', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    const made = await run('prove', '4', directory, '--key', keyFile)
    assert.deepEqual([made.code, made.err], [0, ''])
    const file = join(directory, '..', 'line.tlog-proof')
    writeFileSync(file, made.out)
    rmSync(directory, { recursive: true })
    const checked = await run('prove', '--check', file, '--key', keyFile, '--origin', ORIGIN)
    assert.match(checked.out, /^The proof holds: line 4 of "api\.example\.com[^\n]*\n\{"seq":4,.*"requestId":"second"/)
    const json = JSON.parse((await run('prove', '--check', file, '--key', keyFile, '--json')).out)
    assert.deepEqual([json.ok, json.index, json.record.requestId], [true, 3, 'second'])
  })

  const refusals: readonly (readonly [string, (proof: string) => string, RegExp])[] = [
    [
      'another line',
      (proof) => proof.replace(/extra .*/, `extra ${Buffer.from('{}').toString('base64')}`),
      /do not lead to the root/,
    ],
    ['another place', (proof) => proof.replace('index 3', 'index 2'), /do not lead to the root/],
    ['a place outside', (proof) => proof.replace('index 3', 'index 99'), /no such path/],
    ['a hash less', (proof) => proof.replace(/(index 3\n).*\n/, '$1'), /no such path/],
    ['another size', (proof) => proof.replace('\n8\n', '\n9\n'), /not signed/],
    ['another spelling', (proof) => proof.replace('index 3', 'index 03'), /no proof in the form/],
    ['no checkpoint', (proof) => proof.replace('\u2014', '-'), /no checkpoint/],
    ['nothing', () => '', /no proof in the form/],
  ]
  for (const [name, alter, says] of refusals) {
    it(`--check refuses ${name}`, async (test) => {
      const { run, log, directory, keyFile } = commandLine(test)
      fill(log)
      log.close()
      const { out } = await run('prove', '4', directory, '--key', keyFile)
      const again = commandLine(test, alter(out))
      const { code, err } = await again.run('prove', '--check', '-', '--key', keyFile)
      assert.equal(code, 1)
      assert.match(err, says)
    })
  }

  it('refuses a line that no checkpoint covers, an altered log, another key and another log', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    assert.match((await run('prove', '5', '--key', keyFile)).err, /no checkpoint covers line 5 yet; the newest covers 2 lines/)
    const other = join(directory, '..', 'other.pub')
    writeFileSync(other, OTHER_PUBLIC.export({ type: 'spki', format: 'pem' }))
    assert.match((await run('prove', '1', '--key', other)).err, /no checkpoint that one of the given keys signed/)
    const proof = join(directory, '..', 'proof')
    writeFileSync(proof, (await run('prove', '1', '--key', keyFile)).out)
    assert.match((await run('prove', '--check', proof, '--key', keyFile, '--origin', 'x')).err, /about another log/)
    const file = join(directory, log.names[0] ?? '')
    const written = readFileSync(file, 'utf8')
    writeFileSync(file, written.slice(0, written.indexOf('\n') + 1))
    assert.match((await run('prove', '1', '--key', keyFile)).err, /the log ends before line 2/)
    writeFileSync(file, written.replace('alice', 'alicf'))
    const altered = await run('prove', '1', '--key', keyFile, '--json')
    assert.deepEqual([altered.code, JSON.parse(altered.out).ok], [1, false])
    assert.match(altered.err, /not those that the checkpoint was signed over/)
  })
})

describe('planegate audit show', () => {
  it('one request: what, who, why and what to do, and its stream; nothing commands the terminal', async (test) => {
    const { run, log } = commandLine(test)
    fill(log)
    const { code, out } = await run('show', '--request', 'second')
    assert.equal(code, 0)
    assert.match(
      out,
      /^request {3}second\nwhen {6}2026-01-02T11:30:00\.000Z\nwhat {6}GET api\.example\.com\/api\/v1\/accounts\/7\nanswer {4}403 scope-insufficient after 1\.5 ms\n/,
    )
    assert.match(out, /who {7}bob of https:\/\/issuer\.example\.com \(human\)\n/)
    assert.match(out, /why {7}scopes: .+\.\nto do {5}.+\.\nline {6}4 of the log\n$/)
    assert.match(out, /evil\\u001b\[2J\\u202e/)
    const stream = await run('show', '--request', 'third')
    assert.match(stream.out, /\n\nrequest {3}third\n[\s\S]*event {5}stream-closed websocket credential-invalid\n/)
  })

  const filters: readonly (readonly [string, readonly string[], readonly string[]])[] = [
    ['a subject, also by its pseudonym, and what was changed about it', ['--subject', 'bob'], ['second', 'third', 'c-1']],
    ['a subject, in a directory whose configuration is not known', ['--subject', 'bob', '--dir', 'DIR'], ['second', 'c-1']],
    ['a code', ['--code', 'scope-insufficient'], ['second']],
    ['a route and a time', ['--route', 'accounts-read', '--since', '15m'], ['third', 'third']],
    ['an age', ['--since', '45m'], ['second', 'third', 'third']],
    ['from and to', ['--since', '2026-01-02T09:00:00Z', '--until', '2026-01-02T11:30:00Z'], ['first', 'second']],
    ['an address', ['--address', '192.0.2.1'], ['first', 'second', 'third']],
    ['the newest only', ['--address', '192.0.2.1', '--limit', '2'], ['second', 'third']],
  ]
  for (const [name, argv, ids] of filters) {
    it(`by ${name}`, async (test) => {
      const { run, log, directory } = commandLine(test)
      fill(log)
      const { code, out } = await run('show', ...argv.map((word) => (word === 'DIR' ? directory : word)), '--json')
      const found = out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
      assert.deepEqual([code, found.map(({ requestId, changeId }) => requestId ?? changeId)], [0, ids])
      const table = await run('show', ...argv.map((word) => (word === 'DIR' ? directory : word)))
      assert.equal(table.out.split('\n').length, ids.length + 2)
    })
  }

  it('nothing found is exit code 1 and a hint; a directory that is not there too', async (test) => {
    const { run, log } = commandLine(test)
    fill(log)
    const { code, out, err } = await run('show', '--request', 'nobody')
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /nothing was found\. .*`count`.*audit\.success: false.*another gateway/)
    const gone = await run('show', '--request', 'x', '--dir', '/nowhere')
    assert.deepEqual([gone.code, gone.out], [1, ''])
    assert.match(gone.err, /cannot be read \(ENOENT\)/)
  })
})

describe('planegate audit tail', () => {
  it('shows the newest, without the words of the log about itself', async (test) => {
    const { run, log } = commandLine(test)
    fill(log)
    const { code, out } = await run('tail', '--no-follow', '-n', '3')
    assert.equal(code, 0)
    assert.match(
      out,
      /^2026-01-02T11:50:00\.000Z {2}third {2}allow {2}GET \/api\/v1\/accounts\/7 {2}200 {2}accounts-read {2}hmac:/,
    )
    assert.match(
      out,
      /\n2026-01-02T11:59:00\.000Z {2}third {2}stream-closed credential-invalid \(revoked\) {2}websocket {2}accounts-read\n.*c-1 {2}change {2}revocation-added, kind subject, subject bob {2}command-line root@host\n$/,
    )
  })

  it('follows through halves of lines, a new segment, and the compression of the old one', async (test) => {
    const { start, log, directory } = commandLine(test)
    fill(log)
    const { io, ended, stop } = start('tail', '-n', '1', '--json')
    const ids = () =>
      io.written.out
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line).requestId ?? 'change')
    await until('the newest record is shown', () => ids().length === 1)
    log.decisions(1, { requestId: 'a' })
    await until('a new record is shown', () => ids().length === 2)
    const first = log.names[0] ?? ''
    log.segment('size')
    const line = log.chain.seal(JSON.stringify({ time: '2026-01-02T11:59:30.000Z', requestId: 'b' }))
    appendFileSync(join(directory, log.names[1] ?? ''), line.slice(0, 50))
    writeFileSync(join(directory, `${first}.gz`), gzipSync(readFileSync(join(directory, first))))
    rmSync(join(directory, first))
    appendFileSync(join(directory, log.names[1] ?? ''), line.slice(50))
    await until('the record of the new segment is shown', () => ids().length === 3)
    assert.deepEqual(ids(), ['change', 'a', 'b'])
    stop()
    assert.equal(await ended, 0)
  })
})
