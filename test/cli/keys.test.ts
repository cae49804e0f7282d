import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdirSync, statSync, writeFileSync } from 'node:fs'
import { hostname, userInfo } from 'node:os'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { keys } from '../../src/cli/keys.ts'
import { apiKeyVerifier } from '../../src/stores/api-keys/api-key-verifier.ts'
import { digestApiKey, parseApiKey } from '../../src/stores/api-keys/format.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { sqlCredentialStore } from '../../src/stores/sql/sql-credential-store.ts'
import { SOON, within } from '../contracts/credential-store.ts'
import { fakeClock, inboundFrom, realClock, temporaryFolder } from '../stores/api-key-fixtures.ts'
import { recordedIo } from './recorded-io.ts'

const NOW = 1_750_000_000_000
const DAY = 86_400_000
const ME = `command-line ${userInfo().username}@${hostname()}`
const iso = (ms: number) => new Date(ms).toISOString()

/** The verb over a database of its own, at a time that the test moves. */
async function commandLine(test: TestContext) {
  const url = `sqlite:${join(await temporaryFolder(test), 'planegate.db')}` as const
  const clock = fakeClock(NOW)
  const configured = () => ({ environment: 'staging' as const, database: { url, migrate: 'auto' as const } })

  async function run(...argv: string[]) {
    const io = recordedIo()
    const code = await keys(argv, io, { configured, clock })
    return { code, ...io.written }
  }

  async function json(...argv: string[]) {
    const { code, out, err } = await run(...argv, '--json')
    assert.deepEqual([code, err], [0, ''])
    return JSON.parse(out)
  }

  /** Whether a gateway on the same database takes the key; else why not. */
  async function verdict(key: string): Promise<string> {
    const db = await openDatabase({ url, migrate: 'manual' })
    const store = sqlCredentialStore(db, { clock })
    const answer = await apiKeyVerifier({ store, environment: 'staging', clock }).verify(key, inboundFrom('10.1.2.3'))
    store.close()
    await db.close()
    return answer.verified ? 'verified' : answer.reason
  }

  /** The audit records that wait in the database, oldest first. */
  async function changes() {
    const db = await openDatabase({ url, migrate: 'manual' })
    const rows = await db.kysely.selectFrom('changes').selectAll().orderBy('number').execute()
    await db.close()
    return rows.map(({ action, by, time, what }) => ({ action, by, time, what: JSON.parse(what) }))
  }

  return { run, json, verdict, clock, changes, url }
}

describe('planegate keys create', () => {
  it('makes a key that the gateway takes, and says everything of it as JSON', async (test) => {
    const { json, verdict, changes } = await commandLine(test)
    const made = await json(
      'create',
      '--owner',
      'billing',
      '--scopes',
      'jobs:run,jobs:read',
      '--expires',
      '90d',
      '--cidr',
      '10.0.0.0/8',
      '--cidr',
      '::1/128',
    )
    assert.deepEqual(parseApiKey(made.key), { environment: 'stg', id: made.id })
    const { id, key, ...rest } = made
    assert.deepEqual(rest, {
      owner: 'billing',
      state: 'active',
      scopes: ['jobs:run', 'jobs:read'],
      cidrs: ['10.0.0.0/8', '::1/128'],
      createdAt: iso(NOW),
      expiresAt: iso(NOW + 90 * DAY),
      revokedAt: null,
      replacedBy: null,
    })
    assert.equal(await verdict(key), 'verified')
    assert.deepEqual(await changes(), [
      {
        action: 'key-created',
        by: ME,
        time: iso(NOW),
        what: {
          key: id,
          owner: 'billing',
          scopes: ['jobs:run', 'jobs:read'],
          cidrs: ['10.0.0.0/8', '::1/128'],
          endsAt: iso(NOW + 90 * DAY),
        },
      },
    ])
  })

  it('makes a key without scopes, end or networks when none are asked for', async (test) => {
    const { json } = await commandLine(test)
    const { scopes, cidrs, expiresAt } = await json('create', '--owner', 'billing')
    assert.deepEqual([scopes, cidrs, expiresAt], [[], [], null])
  })

  it('shows the key once to people', async (test) => {
    const { run, verdict } = await commandLine(test)
    const { code, out, err } = await run('create', '--owner', 'Zoë of billing', '--scopes', 'a')
    assert.deepEqual([code, err], [0, ''])
    const [key = '', ...more] = out.match(/pgk_\S+/g) ?? []
    assert.deepEqual(more, [])
    assert.equal(await verdict(key), 'verified')
    assert.match(out, /owner {5}Zoë of billing\nscopes {4}a\nnetworks {2}any\nexpires {3}never\n$/)
  })
})

describe('planegate keys list', () => {
  it('says that there are none', async (test) => {
    const { run, json } = await commandLine(test)
    assert.equal((await run('list')).out, 'There are no API keys.\n')
    assert.deepEqual(await json('list'), [])
  })

  it('shows the state of every key, and never a secret or a digest', async (test) => {
    const { run, json, clock } = await commandLine(test)
    const names = ['active', 'expired', 'revoked', 'rotating']
    const made = new Map<string, { id: string; key: string }>()
    for (const owner of names) {
      clock.advance(1)
      made.set(owner, await json('create', '--owner', owner, ...(owner === 'expired' ? ['--expires', '1h'] : [])))
    }
    await json('revoke', made.get('revoked')?.id ?? '')
    clock.advance(1)
    made.set('replacement', await json('rotate', made.get('rotating')?.id ?? ''))
    clock.advance(DAY / 2)
    const listed: { owner: string; state: string; id: string }[] = await json('list')
    assert.deepEqual(
      listed.map(({ owner, state, id }) => [owner, state, id]),
      [...names.map((name) => [name, name, made.get(name)?.id]), ['rotating', 'active', made.get('replacement')?.id]],
    )
    clock.advance(DAY / 2)
    const text = (await run('list')).out
    assert.match(text, /^ID +STATE +EXPIRES +OWNER/)
    assert.match(text, new RegExp(`${made.get('rotating')?.id} +expired`))
    for (const shown of [text, JSON.stringify(listed)]) {
      for (const { key } of made.values()) {
        assert.ok(!shown.includes(key.slice(-49)) && !shown.includes(digestApiKey(key)))
      }
    }
  })
})

describe('planegate keys rotate', () => {
  it('gives a new key with the same rights and end; the old one ends after a day', async (test) => {
    const { json, verdict, clock, changes } = await commandLine(test)
    const old = await json('create', '--owner', 'billing', '--scopes', 'a,b', '--cidr', '10.0.0.0/8', '--expires', '90d')
    clock.advance(10 * DAY)
    const next = await json('rotate', old.id)
    assert.notEqual(next.id, old.id)
    assert.deepEqual([next.owner, next.scopes, next.cidrs, next.expiresAt], [old.owner, old.scopes, old.cidrs, old.expiresAt])
    assert.deepEqual(next.replaced, { id: old.id, expiresAt: iso(NOW + 11 * DAY) })
    assert.deepEqual([await verdict(old.key), await verdict(next.key)], ['verified', 'verified'])
    assert.deepEqual((await changes())[1], {
      action: 'key-rotated',
      by: ME,
      time: iso(NOW + 10 * DAY),
      what: { key: old.id, owner: 'billing', endsAt: iso(NOW + 11 * DAY), replacedBy: next.id },
    })
    clock.advance(DAY)
    assert.deepEqual([await verdict(old.key), await verdict(next.key)], ['expired', 'verified'])
  })

  it('ends the old key at once with --overlap 0s', async (test) => {
    const { json, verdict } = await commandLine(test)
    const old = await json('create', '--owner', 'billing')
    const next = await json('rotate', old.id, '--overlap', '0s')
    assert.deepEqual([await verdict(old.key), await verdict(next.key)], ['expired', 'verified'])
  })

  it('never lets the old key live longer than it would have', async (test) => {
    const { json, verdict, clock } = await commandLine(test)
    const old = await json('create', '--owner', 'billing', '--expires', '1h')
    const { replaced } = await json('rotate', old.id, '--overlap', '7d')
    assert.equal(replaced.expiresAt, old.expiresAt)
    clock.advance(3_600_000)
    assert.equal(await verdict(old.key), 'expired')
  })

  it('tells people the new key and when the old one ends', async (test) => {
    const { run, json } = await commandLine(test)
    const old = await json('create', '--owner', 'billing')
    const { out } = await run('rotate', old.id, '--overlap', '1h')
    assert.match(out, new RegExp(`pgk_stg_[^]*\nreplaces {2}${old.id}, which ends ${iso(NOW + 3_600_000)}\n$`))
  })

  const refused: readonly (readonly [string, readonly (readonly string[])[], RegExp])[] = [
    ['revoked', [['revoke']], /is revoked and cannot be rotated/],
    ['rotated', [['rotate']], /was already rotated; \w{16} took its place/],
    ['rotated and ended', [['rotate', '--overlap', '0s']], /was already rotated/],
  ]
  for (const [name, before, sentence] of refused) {
    it(`refuses a key that was ${name}`, async (test) => {
      const { run, json } = await commandLine(test)
      const { id } = await json('create', '--owner', 'billing')
      for (const [verb = '', ...more] of before) await json(verb, id, ...more)
      const kept = await json('list')
      const { code, out, err } = await run('rotate', id, '--json')
      assert.deepEqual([code, out], [1, ''])
      assert.match(err, sentence)
      assert.deepEqual(await json('list'), kept)
    })
  }

  it('refuses a key that has expired', async (test) => {
    const { run, json, clock } = await commandLine(test)
    const { id } = await json('create', '--owner', 'billing', '--expires', '1h')
    clock.advance(3_600_000)
    const { code, err } = await run('rotate', id)
    assert.equal(code, 1)
    assert.match(err, /is expired and cannot be rotated/)
  })
})

describe('planegate keys revoke', () => {
  it('ends a key at once, and may be repeated', async (test) => {
    const { run, json, verdict, changes } = await commandLine(test)
    const { id, key } = await json('create', '--owner', 'billing')
    assert.equal((await run('revoke', id)).out, `The API key ${id} of billing is revoked.\n`)
    assert.equal(await verdict(key), 'revoked')
    assert.partialDeepStrictEqual(await json('revoke', id), { id, state: 'revoked', revokedAt: iso(NOW) })
    const [, ...more] = await changes()
    assert.deepEqual(more, [{ action: 'key-revoked', by: ME, time: iso(NOW), what: { key: id, owner: 'billing' } }])
  })

  for (const verb of ['revoke', 'rotate']) {
    it(`${verb}: says that there is no such key`, async (test) => {
      const { run, changes } = await commandLine(test)
      for (const id of ['0123456789abcdef', 'nonsense']) {
        const { code, out, err } = await run(verb, id, '--json')
        assert.deepEqual([code, out, err], [1, '', `planegate keys: there is no API key "${id}"\n`])
      }
      assert.deepEqual(await changes(), [])
    })
  }
})

describe('planegate keys: wrong usage', () => {
  const table: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /keys takes one of: create/],
    [['delete', 'x'], /keys takes one of: create/],
    [['create'], /--owner must name the owner/],
    [['create', '--owner', ''], /--owner must name the owner/],
    [['create', '--owner', ' billing'], /--owner must name the owner/],
    [['create', '--owner', 'x'.repeat(257)], /--owner must name the owner/],
    [['create', '--owner', 'a\nb'], /--owner must name the owner/],
    [['create', '--owner', 'a\u001b[31mb'], /--owner must name the owner/],
    [['create', '--owner', 'a\u202eb'], /--owner must name the owner/],
    [['create', '--owner', 'o', '--scopes', ''], /--scopes must be scopes/],
    [['create', '--owner', 'o', '--scopes', 'a,,b'], /--scopes must be scopes/],
    [['create', '--owner', 'o', '--scopes', 'a b'], /--scopes must be scopes/],
    [['create', '--owner', 'o', '--scopes', 'a"b'], /--scopes must be scopes/],
    [['create', '--owner', 'o', '--scopes', 'é'], /--scopes must be scopes/],
    [['create', '--owner', 'o', '--cidr', '10.0.0.0/33'], /--cidr must be a network/],
    [['create', '--owner', 'o', '--cidr', '10.0.0.0/8', '--cidr', 'x'], /--cidr must be a network/],
    [['create', '--owner', 'o', '--expires', '0s'], /--expires must be a duration/],
    [['create', '--owner', 'o', '--expires', '90'], /--expires must be a duration/],
    [['create', '--owner', 'o', '--expires', '999999999d'], /--expires must be a duration/],
    [['create', '--owner', 'o', 'surplus'], /unexpected argument: this verb takes none without a dash/],
    [['create', '--owner', 'o', '--scope', 'a'], /Unknown option '--scope'/],
    [['list', 'x'], /unexpected argument/],
    [['rotate'], /takes the ID of a key/],
    [['rotate', 'a', 'b'], /unexpected argument/],
    [['rotate', 'a', '--overlap', 'soon'], /--overlap must be a duration/],
    [['revoke'], /takes the ID of a key/],
    [['revoke', ''], /takes the ID of a key/],
  ]
  for (const [argv, sentence] of table) {
    it(`refuses: keys ${JSON.stringify(argv.join(' ').slice(0, 60))}`, async (test) => {
      const { run, url } = await commandLine(test)
      const { code, out, err } = await run(...argv)
      assert.deepEqual([code, out], [2, ''])
      assert.match(err, sentence)
      assert.throws(() => statSync(url.slice('sqlite:'.length)), { code: 'ENOENT' })
    })
  }

  it('repeats nothing that was given in the wrong place', async (test) => {
    const { run } = await commandLine(test)
    const secret = 'inoff1UZ99EOUgbM4yggsKsn8sEiMVjbJUVPGvOkmf52qMPhf'
    const table = [
      ['revoke', 'CqpWxhOdnFEl5oDO', `pgk_dev_CqpWxhOdnFEl5oDO_${secret}`],
      ['revoke', `CqpWxhOdnFEl5oDO pgk_dev_CqpWxhOdnFEl5oDO_${secret}`],
      ['rotate', secret],
      ['list', secret],
      ['list', `--${secret}`],
      ['list', `--${secret}.x`],
      ['list', `--key=${secret}`],
      ['list', `--json=${secret}`],
      ['list', `-${secret}`],
    ]
    for (const argv of table) {
      const { code, out, err } = await run(...argv)
      assert.deepEqual([code, out], [2, ''], argv.join(' '))
      assert.match(err, /^planegate keys: [^\n]{10,}\n$/)
      assert.ok(!err.includes(secret.slice(0, 6)), err)
    }
  })

  it('does not repeat a key that was given for an id', async (test) => {
    const { run, json } = await commandLine(test)
    const { key } = await json('create', '--owner', 'billing')
    const { code, err } = await run('revoke', key)
    assert.equal(code, 2)
    assert.match(err, /never the key itself/)
    assert.ok(!err.includes(key.slice(-49)))
  })
})

describe('planegate keys: configuration and database', () => {
  async function withConfiguration(test: TestContext, database: string) {
    const folder = await temporaryFolder(test)
    const config = join(folder, 'gateway.yaml')
    mkdirSync(join(folder, 'routes'))
    writeFileSync(
      config,
      `environment: development\npublicOrigin: http://127.0.0.1:8080\nidentity: { key: { file: ./identity.pem } }\nstores: { database: ${database} }\n`,
    )
    writeFileSync(
      join(folder, 'routes', 'a.yaml'),
      'routes: [{ id: a, plane: PUBLIC, path: /a, upstream: b, reason: test, expires: 2001-01-01 }]\n',
    )
    writeFileSync(config, `${'upstreams: { b: { targets: [http://127.0.0.1:9], audience: b } }\n'}`, { flag: 'a' })
    const io = recordedIo()
    return { folder, config, io, text: () => io.written.out + io.written.err }
  }

  it('finds the database by the configuration, beside it, also when a rule has expired', async (test) => {
    const { folder, config, io, text } = await withConfiguration(test, '{ url: sqlite:./data/keys.db }')
    assert.equal(await keys(['create', '--owner', 'billing', '--json', '--config', config], io), 0, text())
    assert.equal(parseApiKey(JSON.parse(text()).key)?.environment, 'dev')
    assert.ok(statSync(join(folder, 'data', 'keys.db')).size > 0)
  })

  it('names every mistake of the configuration', async (test) => {
    const { config, io, text } = await withConfiguration(test, '{ url: sqlite:./data/keys.db, migrat: auto }')
    assert.equal(await keys(['list', '--config', config], io), 1)
    assert.match(text(), /the configuration has mistakes\n.*gateway\.yaml:4:\d+ stores\.database/)
  })

  it('names the verb that is missing when the schema is behind', async (test) => {
    const { config, io, text } = await withConfiguration(test, '{ url: sqlite:./data/keys.db, migrate: manual }')
    assert.equal(await keys(['list', '--config', config], io), 1)
    assert.match(text(), /run "planegate migrate"/)
  })

  it('says why the database cannot be opened', async (test) => {
    const { folder, config, io, text } = await withConfiguration(test, '{ url: sqlite:./keys.db }')
    writeFileSync(join(folder, 'keys.db'), 'not a database'.repeat(500))
    assert.equal(await keys(['list', '--config', config], io), 1)
    assert.match(text(), /cannot open the database .*keys\.db: file is not a database/)
  })
})

describe('planegate keys in a process of its own', () => {
  const program = `
    import { keys } from ${JSON.stringify(join(import.meta.dirname, '../../src/cli/keys.ts'))}
    const [url, ...argv] = process.argv.slice(1)
    process.exitCode = await keys(argv, { out: (s) => process.stdout.write(s), err: (s) => process.stderr.write(s) }, {
      configured: () => ({ environment: 'staging', database: { url, migrate: 'manual' } }),
      clock: { now: () => Date.now(), monotonic: () => performance.now() },
    })`

  async function spawned(url: string, ...argv: string[]) {
    const child = spawn(process.execPath, ['--input-type=module', '-e', program, '--', url, ...argv, '--json'])
    const io = recordedIo()
    child.stdout.on('data', (chunk) => io.out(String(chunk)))
    child.stderr.on('data', (chunk) => io.err(String(chunk)))
    const code = await new Promise((resolve) => child.on('close', resolve))
    const { out, err } = io.written
    assert.deepEqual([code, err], [0, ''])
    return JSON.parse(out)
  }

  it('is followed within 250 ms by a gateway that has the file open', async (test) => {
    const url = `sqlite:${join(await temporaryFolder(test), 'planegate.db')}`
    const db = await openDatabase({ url, migrate: 'auto' })
    const store = sqlCredentialStore(db, { clock: realClock })
    test.after(async () => {
      store.close()
      await db.close()
    })
    const verifier = apiKeyVerifier({ store, environment: 'staging', clock: realClock })
    const verdict = async (key: string) => {
      const answer = await verifier.verify(key, inboundFrom('10.1.2.3'))
      return answer.verified ? 'verified' : answer.reason
    }
    const { id, key } = await spawned(url, 'create', '--owner', 'billing')
    await within(SOON, 'creation', async () => (await verdict(key)) === 'verified')
    const next = await spawned(url, 'rotate', id, '--overlap', '0s')
    await within(SOON, 'rotation', async () => (await verdict(key)) === 'expired' && (await verdict(next.key)) === 'verified')
    await spawned(url, 'revoke', next.id)
    await within(SOON, 'revocation', async () => (await verdict(next.key)) === 'revoked')
  })
})
