import assert from 'node:assert/strict'
import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { until } from '../audit/records.ts'
import { COMMANDS, commandLine, EVIL, fill } from './audit-command-line.ts'

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

describe('planegate audit show, of what nobody honest wrote', () => {
  const link = (json: string) => `{"seq":99,"prev":"${'0'.repeat(64)}",${json}\n`
  const hostile: readonly (readonly [string, string])[] = [
    ['a role without words', '"requestId":"second","decision":"deny","roles":[{"toString":1}]}'],
    ['a deep role', `"requestId":"second","decision":"deny","roles":[${'['.repeat(1e5)}${']'.repeat(1e5)}]}`],
    ['a deep change', `"requestId":"second","event":"change","what":{"x":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`],
  ]
  for (const [name, json] of hostile) {
    it(`${name}: the others are shown, and so is that one`, async (test) => {
      const { run, log, directory } = commandLine(test)
      fill(log)
      appendFileSync(join(directory, log.names[0] ?? ''), link(json))
      for (const more of [[], ['--json']]) {
        const { code, out, err } = await run('show', '--request', 'second', ...more)
        assert.deepEqual([code, err], [0, ''])
        assert.match(out, /second/)
      }
      assert.match((await run('show', '--request', 'second')).out, /line {6}4 of the log\n[\s\S]*line {6}99 of the log\n/)
      assert.equal((await run('show', '--since', '10h', '--limit', '9')).code, 0)
    })
  }

  it('a segment of empty lines is left off, and said to be', async (test) => {
    const { run, log, directory } = commandLine(test)
    fill(log)
    writeFileSync(join(directory, 'audit-000000000099.jsonl.gz'), gzipSync(Buffer.alloc(5e6, '\n')))
    for (const argv of [
      ['show', '--request', 'second'],
      ['show', '--request', 'second', '--json'],
      ['tail', '--no-follow'],
    ]) {
      const { code, out, err } = await run(...argv)
      assert.equal(code, 0)
      assert.match(out, /second/)
      assert.match(err, /^planegate audit: audit-000000000099\.jsonl\.gz cannot be read to its end/)
    }
  })

  it('--json has no character that commands a terminal', async (test) => {
    const { run, log } = commandLine(test)
    log.segment()
    log.decisions(1, { requestId: 'c1', userAgent: EVIL })
    for (const argv of [
      ['show', '--request', 'c1', '--json'],
      ['tail', '--no-follow', '--json'],
    ]) {
      const { out } = await run(...argv)
      assert.doesNotMatch(out, COMMANDS)
      assert.equal(JSON.parse(out).userAgent, EVIL)
    }
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
