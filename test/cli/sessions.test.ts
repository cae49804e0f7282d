import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { sessions } from '../../src/cli/sessions.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { revocationRegistry } from '../../src/stores/sql/revocation-registry.ts'
import { fakeClock, temporaryFolder } from '../stores/api-key-fixtures.ts'
import { recordedIo } from './recorded-io.ts'

const NOW = 1_750_000_000_999
const DAY = 86_400_000
const ISSUER = 'https://id.example.com'
const ME = `command-line ${userInfo().username}@${hostname()}`
const TOKEN = 'eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2lkLmV4YW1wbGUuY29tIn0.'

async function commandLine(test: TestContext, input: string | null = null) {
  const folder = await temporaryFolder(test)
  const url = `sqlite:${join(folder, 'planegate.db')}`
  const clock = fakeClock(NOW)
  const configured = () => ({
    environment: 'staging' as const,
    database: { url, migrate: 'auto' as const },
    retention: 400 * DAY,
    issuers: [ISSUER],
  })
  const readInput = () => {
    if (input === null) throw new Error('nothing to read')
    return input
  }
  async function run(...argv: string[]) {
    const io = recordedIo()
    const code = await sessions(argv, io, { configured, clock, readInput })
    return { code, ...io.written }
  }
  async function kept() {
    const db = await openDatabase({ url, migrate: 'manual' })
    const registry = revocationRegistry(db.kysely, { clock, retention: 400 * DAY, watch: null })
    const revocations = await registry.listRevocations()
    const changes = await db.kysely.selectFrom('changes').selectAll().execute()
    await db.close()
    return { revocations, changes }
  }
  return { run, kept, folder, url }
}

describe('planegate sessions revoke', () => {
  const table: readonly (readonly [readonly string[], object, RegExp])[] = [
    [
      ['--sid', 's-1', '--issuer', ISSUER],
      { kind: 'session', issuer: ISSUER, session: 's-1' },
      /^Revoked: session "s-1" of "https:\/\/id\.example\.com"\.\n/,
    ],
    [['--sid', 's-1'], { kind: 'session', issuer: null, session: 's-1' }, /session "s-1" of every issuer\.\n/],
    [['--sid=-x'], { kind: 'session', issuer: null, session: '-x' }, /session "-x"/],
    [['--jti', 't 1'], { kind: 'token', issuer: null, tokenId: 't 1' }, /token "t 1" of every issuer/],
    [
      ['--subject', 'zoë\u001b[31m'],
      { kind: 'subject', issuer: null, subject: 'zoë\u001b[31m', issuedUpTo: 1_750_000_000 },
      /tokens of "zoë\\u001b\[31m" of every issuer, issued up to 2025-06-15T15:06:40\.000Z or who knows when/,
    ],
  ]
  for (const [argv, revocation, text] of table) {
    it(`${JSON.stringify(argv)}: keeps it with its audit record, and says what was revoked`, async (test) => {
      const { run, kept } = await commandLine(test)
      const { code, out, err } = await run('revoke', ...argv)
      assert.deepEqual([code, err], [0, ''])
      assert.match(out, text)
      const { revocations, changes } = await kept()
      assert.deepEqual(
        revocations.map(({ id: _, ...rest }) => rest),
        [{ revocation, at: NOW, until: NOW + 400 * DAY, by: ME }],
      )
      assert.deepEqual(
        changes.map(({ action, by, recorded_at }) => [action, by, recorded_at]),
        [['revocation-added', ME, null]],
      )
    })
  }

  it('says everything as JSON, and nothing else on standard output', async (test) => {
    const { run } = await commandLine(test)
    const { code, out, err } = await run('revoke', '--subject', 'alice', '--issuer', ISSUER, '--json')
    assert.deepEqual([code, err], [0, ''])
    const { id, ...rest } = JSON.parse(out)
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.deepEqual(rest, {
      kind: 'subject',
      issuer: ISSUER,
      subject: 'alice',
      issuedUpTo: '2025-06-15T15:06:40.000Z',
      at: new Date(NOW).toISOString(),
      until: new Date(NOW + 400 * DAY).toISOString(),
      by: ME,
    })
  })

  it('does it, and warns, where no provider has the issuer', async (test) => {
    const { run, kept } = await commandLine(test)
    const { code, out, err } = await run('revoke', '--sid', 's', '--issuer', `${ISSUER}/`, '--json')
    assert.equal(code, 0)
    assert.match(err, /no declared provider has this issuer/)
    assert.equal(JSON.parse(out).issuer, `${ISSUER}/`)
    assert.equal((await kept()).revocations.length, 1)
  })

  it('may be repeated', async (test) => {
    const { run, kept } = await commandLine(test)
    for (let time = 0; time < 2; time++) assert.equal((await run('revoke', '--sid', 's')).code, 0)
    assert.equal((await kept()).revocations.length, 2)
  })

  it('reads values from standard input and from files, without the line end', async (test) => {
    const { run, kept, folder } = await commandLine(test, 's-from-input\r\n')
    writeFileSync(join(folder, 'issuer'), `${ISSUER}\n`)
    assert.equal((await run('revoke', '--sid', '-', '--issuer', `@${join(folder, 'issuer')}`)).code, 0)
    const { revocations } = await kept()
    assert.deepEqual(revocations[0]?.revocation, { kind: 'session', issuer: ISSUER, session: 's-from-input' })
  })

  for (const written of ['-', '@/nowhere/at/all']) {
    it(`says that ${written} cannot be read`, async (test) => {
      const { run } = await commandLine(test)
      const { code, out, err } = await run('revoke', '--jti', written)
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, /^planegate sessions: --jti: .* cannot be read/)
    })
  }
})

describe('planegate sessions: wrong usage', () => {
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /sessions takes: revoke/],
    [['list'], /sessions takes: revoke/],
    [['revoke'], /exactly one of --sid, --jti and --subject/],
    [['revoke', '--issuer', ISSUER], /exactly one of/],
    [['revoke', '--sid', 'a', '--jti', 'b'], /exactly one of/],
    [['revoke', '--sid', ''], /--sid must not be empty/],
    [['revoke', '--sid', 'a', '--issuer', ''], /--issuer must not be empty/],
    [['revoke', '--sid', '-', '--issuer', '-'], /only one value can come from standard input/],
    [['revoke', '--sid', 'a', 'b'], /unexpected argument/],
    [['revoke', '--session', 'a'], /Unknown option/],
    [['revoke', '--sid', 'x'.repeat(1025)], /at most 1024 characters/],
    [['revoke', '--jti', TOKEN], /never a token or key itself/],
    [['revoke', '--sid', 'pgk_dev_CqpWxhOdnFEl5oDO_x'], /never a token or key itself/],
  ]
  for (const [argv, sentence] of table) {
    it(`refuses: sessions ${JSON.stringify(argv.join(' ').slice(0, 60))}`, async (test) => {
      const { run, kept, url } = await commandLine(test, 'input')
      const { code, out, err } = await run(...argv)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, sentence)
      assert.ok(!err.includes(TOKEN) && !err.includes('pgk_'))
      if (statSync(url.slice('sqlite:'.length), { throwIfNoEntry: false })) assert.deepEqual((await kept()).revocations, [])
    })
  }
})
