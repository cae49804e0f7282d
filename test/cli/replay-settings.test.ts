import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { replay } from '../../src/cli/replay.ts'
import { folderOf, GATEWAY, routes } from '../config/written-configuration.ts'
import { namedPipe } from '../support/named-pipe.ts'
import { recordedIo } from './recorded-io.ts'

/** Settings that no record holds, and logs that nobody would write. */

const CONFIG = `${GATEWAY}server: { trustedProxies: [10.0.0.0/8], maxBodySize: 1MiB }
apiKeys: { header: X-Key }
stores: { database: { url: 'sqlite:./data/planegate.db' } }
`
const ENTRIES = [
  '{ id: read, path: /read, methods: [GET, POST], plane: BOTH, require: any }',
  '{ id: people, path: /people, plane: HUMAN_ONLY, require: any }',
  '{ id: open, path: /open, plane: PUBLIC, reason: open data }',
]
const HOSTED = '{ id: hosted, path: /read, methods: [PUT], hosts: [inner.example.com], require: any }'

const RECORD = {
  time: '2026-01-10T12:00:00.000Z',
  requestId: 'it',
  decision: 'allow',
  code: null,
  reason: null,
  route: 'read',
  actor: null,
  issuer: null,
  subject: null,
  scopes: null,
  roles: null,
  credential: null,
  method: 'GET',
  host: 'api.example.com',
  path: '/read',
  status: 200,
}
const KEY = { actor: 'service', subject: 'acme', scopes: [], roles: [], credential: { kind: 'api-key', id: 'x' } }
const TOKEN = {
  actor: 'human',
  issuer: 'https://id.example.com',
  subject: 'alice',
  scopes: [],
  roles: [],
  credential: { kind: 'jwt', id: 'x' },
}
const denied = (code: string, reason: string, status: number) => ({ decision: 'deny', code, reason, status })

const configured = (config: string, entries = ENTRIES) =>
  join(folderOf({ 'gateway.yaml': config, 'routes/main.yaml': routes(...entries) }), 'gateway.yaml')

function logOf(...records: readonly object[]): string {
  const file = join(folderOf({}), 'audit-000000000001.jsonl')
  writeFileSync(file, records.map((record) => `${JSON.stringify({ ...RECORD, ...record })}\n`).join(''))
  return file
}

async function run(...argv: string[]) {
  const io = recordedIo()
  return { code: await replay(argv, io), ...io.written }
}

describe('a setting that is otherwise than when the log was written', () => {
  const header = CONFIG.replace('X-Key', 'X-Other-Key')
  const proxies = CONFIG.replace('10.0.0.0/8', '11.0.0.0/8')
  const smaller = CONFIG.replace('1MiB', '1KiB')
  const larger = CONFIG.replace('1MiB', '2MiB')
  const database = CONFIG.replace('./data/', './other/')
  const rows: [name: string, config: string, record: object, expected: string, entries?: string[]][] = [
    ['apiKeys.header, and a key', header, KEY, 'api-key-header-changed'],
    [
      'apiKeys.header, and a key refused by its kind',
      header,
      {
        ...denied('plane-mismatch', 'api-key-on-human-route', 403),
        credential: KEY.credential,
        route: 'people',
        path: '/people',
      },
      'api-key-header-changed',
    ],
    ['apiKeys.header, and a key where nobody looks', header, { ...KEY, route: 'open', path: '/open' }, 'same'],
    [
      'apiKeys.header, and what stood elsewhere',
      header,
      denied('credential-missing', 'not-in-its-header', 401),
      'credential-not-verified',
    ],
    [
      'apiKeys.header, and what stood elsewhere among people',
      header,
      { ...denied('credential-missing', 'not-in-its-header', 401), route: 'people', path: '/people' },
      'api-key-header-changed',
    ],
    ['apiKeys.header, and a token', header, TOKEN, 'same'],
    ['apiKeys.header in another spelling', CONFIG.replace('X-Key', 'x-key'), KEY, 'same'],
    ['server.trustedProxies, and a key that may be for some addresses', proxies, KEY, 'proxies-changed'],
    ['server.trustedProxies, and a token', proxies, TOKEN, 'same'],
    ['server.trustedProxies, and routes for hosts', proxies, TOKEN, 'proxies-changed', [...ENTRIES, HOSTED]],
    ['server.maxBodySize, lower, and a body', smaller, { ...TOKEN, method: 'POST' }, 'body-size-changed'],
    ['server.maxBodySize, lower, and none', smaller, TOKEN, 'same'],
    ['server.maxBodySize, higher', larger, { ...TOKEN, method: 'POST' }, 'same'],
    ['stores.database, and a key', database, KEY, 'database-changed'],
    ['stores.database, and a token', database, TOKEN, 'same'],
    ['nothing, in another folder', CONFIG, KEY, 'same'],
  ]
  for (const [name, config, record, expected, entries] of rows) {
    it(`${name}: ${expected}`, async () => {
      const log = logOf(record)
      const now = configured(config, entries)
      const { out } = await run(log, '--json', '--config', now, '--was', configured(CONFIG, entries))
      const report = JSON.parse(out)
      assert.deepEqual([report.same, report.untoldReasons[0]?.reason ?? 'same'], [expected === 'same' ? 1 : 0, expected])
      assert.ok(!report.assumed.some((text: string) => text.includes('server.trustedProxies')))
      const alone = JSON.parse((await run(log, '--json', '--config', now)).out)
      assert.equal(alone.same, 1)
      assert.ok(alone.assumed.some((text: string) => /apiKeys\.header.*trustedProxies.*maxBodySize.*database/.test(text)))
    })
  }
})

describe('a log that nobody would write', () => {
  it('is not told apart without end', async () => {
    const long = 'q'.repeat(3_000)
    const records = Array.from({ length: 3_000 }, (_, index) => {
      const text = index < 3 ? `${index}${long}` : String(index)
      return { ...denied(`c${text}`, 'r', 401), requestId: text, route: `r${text}` }
    })
    const file = logOf(...records)
    const config = configured(CONFIG)
    const { code, out } = await run(file, '--config', config)
    assert.equal(code, 1)
    assert.match(out, /^3000 decisions: 0 same, 3000 different, 0 cannot be told\n/)
    assert.match(out, /\n {2}2000 {2}others, of more kinds than are told apart\n/)
    assert.ok(out.split('\n').every((line) => line.length < 2_000))
    const report = JSON.parse((await run(file, '--json', '--config', config)).out)
    assert.deepEqual([report.differences.length, report.ungrouped, report.different], [1_000, 2_000, 3_000])
    const [{ from, examples }] = report.differences
    assert.deepEqual([from.code.length, from.route.length, examples[0].requestId.length], [512, 512, 512])
  })

  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
    it(`has the code ${name}, which is one like any other`, async () => {
      const file = logOf({ ...denied(name, 'r', 401) })
      const { out } = await run(file, '--json', '--config', configured(CONFIG))
      assert.deepEqual([JSON.parse(out).different, JSON.parse(out).untold], [1, 0])
    })
  }

  it('holds a list of which something was taken out: it is not known', async () => {
    const entries = ENTRIES.map((entry) => entry.replace('require: any', 'require: { scopes: [a] }'))
    const { out } = await run(logOf({ ...TOKEN, scopes: ['[credential]'] }), '--json', '--config', configured(CONFIG, entries))
    assert.equal(JSON.parse(out).untoldReasons[0].reason, 'scopes-not-recorded')
  })

  it('holds no decision at all', async () => {
    const file = join(folderOf({ 'audit-000000000001.jsonl': 'hello\n{"event":"started"}\n' }), 'audit-000000000001.jsonl')
    const { code, out, err } = await run(file, '--config', configured(CONFIG))
    assert.deepEqual([code, out], [1, ''])
    assert.match(err, /jsonl holds no decision that can be read \(lines that cannot be read: 1\)\n$/)
    const json = await run(file, '--json', '--config', configured(CONFIG))
    assert.deepEqual([json.code, JSON.parse(json.out).ok], [1, false])
    const early = await run(logOf(TOKEN), '--since', '2026-01-11T00:00:00Z', '--config', configured(CONFIG))
    assert.equal(early.code, 0)
  })

  it('is a pipe that nobody writes to', async () => {
    const pipe = namedPipe(join(folderOf({}), 'audit-000000000001.jsonl'))
    for (const log of [pipe, join(pipe, '..')]) {
      const { code, err } = await run(log, '--config', configured(CONFIG))
      assert.equal(code, 1)
      assert.match(err, /regular file\n$/)
    }
  })
})
