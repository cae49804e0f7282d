import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { describe, it } from 'node:test'
import { Pseudonyms, type PseudonymUse } from '../../src/audit/format/pseudonyms.ts'
import { pseudonymousChange, pseudonymousDecision } from '../../src/audit/pseudonymous.ts'
import type { ChangeRecord } from '../../src/domain/change-record.ts'
import type { StreamRecord } from '../../src/domain/stream-record.ts'
import { decision } from './records.ts'

const KEY = 'k'.repeat(32)
const pseudonyms = new Pseudonyms(KEY)
const address = (text: string) => pseudonyms.of('address', text)
const subject = (text: string) => pseudonyms.of('subject', text)

describe('pseudonyms', () => {
  it('are the beginning of HMAC-SHA256 over use and value', () => {
    const expected = createHmac('sha256', KEY).update('subject\0user_1').digest().subarray(0, 18).toString('base64url')
    assert.equal(subject('user_1'), `hmac:${expected}`)
    assert.match(subject('user_1'), /^hmac:[A-Za-z0-9_-]{24}$/)
    // Written down once: records of years must stay searchable.
    assert.equal(subject('user_1'), 'hmac:eUXYamwldleqy7EVUxaSiOsD')
    assert.equal(address('192.0.2.1'), 'hmac:ZOO2qJ7in4TF_bBb-rw_Rk1R')
  })

  it('differ by use, by value and by key', () => {
    const all = [
      subject('x'),
      address('x'),
      subject('y'),
      new Pseudonyms('another key').of('subject', 'x'),
      subject(''),
      address(''),
    ]
    assert.equal(new Set(all).size, all.length)
  })

  const spellings: readonly (readonly [string, string])[] = [
    ['2001:db8::1', '2001:DB8:0:0:0:0:0:1'],
    ['192.0.2.1', '::ffff:192.0.2.1'],
    ['192.0.2.1', '::FFFF:C000:201'],
    ['fe80::1', 'fe80::1%eth0'],
  ]
  for (const [plain, other] of spellings)
    it(`are one for ${plain} and ${other}`, () => assert.equal(address(plain), address(other)))

  it('leave subjects as they are spelled', () => {
    assert.notEqual(subject('2001:db8::1'), subject('2001:DB8::1'))
    assert.notEqual(subject('alice'), subject('Alice'))
  })

  it('refuse an empty key', () => assert.throws(() => new Pseudonyms(''), { message: 'The key of the pseudonyms is empty.' }))

  for (const use of ['address', 'subject'] satisfies PseudonymUse[]) {
    it(`of ${use} stay right when more are asked for than are remembered`, () => {
      const busy = new Pseudonyms(KEY)
      for (let round = 0; round < 2; round++) for (let index = 0; index < 12_000; index++) busy.of(use, `value-${index}`)
      const fresh = new Pseudonyms(KEY)
      for (const index of [0, 1, 4_999, 5_000, 6_999, 7_000, 9_999, 10_000, 11_999])
        assert.equal(busy.of(use, `value-${index}`), fresh.of(use, `value-${index}`))
      const long = 'x'.repeat(10_000)
      assert.equal(busy.of(use, long), busy.of(use, long))
    })
  }
})

describe('a decision with pseudonyms', () => {
  it('names address and subject by their digests, and is the same otherwise', () => {
    const record = decision({ clientIp: '192.0.2.1', subject: 'user_1', count: 3 })
    assert.deepEqual(pseudonymousDecision(record, pseudonyms), {
      ...record,
      clientIp: address('192.0.2.1'),
      subject: subject('user_1'),
    })
  })

  it('of nobody stays one of nobody', () => {
    assert.equal(pseudonymousDecision(decision({ subject: null }), pseudonyms).subject, null)
  })

  it('keeps the order of its members', () => {
    assert.deepEqual(Object.keys(pseudonymousDecision(decision(), pseudonyms)), Object.keys(decision()))
  })
})

/** Compiles only while the record of a closed stream names nobody: it is written down as it is. */
const NAMES_NOBODY: Extract<keyof StreamRecord, 'clientIp' | 'subject'> extends never ? 'nobody' : 'somebody' = 'nobody'

describe('a change with pseudonyms', () => {
  const change: ChangeRecord = {
    changeId: 'c',
    time: '2026-01-02T03:04:05.678Z',
    action: 'key-created',
    by: 'admin-api 10.0.0.7',
    what: {},
  }
  const damaged = (value: unknown) => value as ChangeRecord['what'][string]

  const actors: readonly (readonly [string, string])[] = [
    ['admin-api 10.0.0.7', `admin-api ${address('10.0.0.7')}`],
    ['admin-api 2001:db8::1', `admin-api ${address('2001:db8::1')}`],
    ['another-way 10.0.0.7', `another-way ${address('10.0.0.7')}`],
    ['admin-api ', `admin-api ${address('')}`],
    ['admin-api', 'admin-api'],
    ['command-line root@host', 'command-line root@host'],
    ['start command-line root@host', 'start command-line root@host'],
    ['start 10.0.0.7', `start ${address('10.0.0.7')}`],
    ['', ''],
  ]
  for (const [by, expected] of actors)
    it(`by "${by}"`, () => assert.equal(pseudonymousChange({ ...change, by }, pseudonyms).by, expected))

  const whats: Readonly<Record<string, readonly [ChangeRecord['what'], ChangeRecord['what']]>> = {
    'a new key': [
      {
        key: 'id',
        owner: 'alice',
        scopes: ['a:b'],
        cidrs: ['10.0.0.0/8', '192.0.2.1/32', '192.0.2.1', '2001:DB8::1/128', '2001:db8::/32'],
        endsAt: null,
      },
      {
        key: 'id',
        owner: subject('alice'),
        scopes: ['a:b'],
        cidrs: ['10.0.0.0/8', address('192.0.2.1'), address('192.0.2.1'), address('2001:db8::1'), '2001:db8::/32'],
        endsAt: null,
      },
    ],
    'a revoked subject': [
      { revocation: 'r', kind: 'subject', issuer: null, subject: 'user_1', issuedUpTo: 7 },
      { revocation: 'r', kind: 'subject', issuer: null, subject: subject('user_1'), issuedUpTo: 7 },
    ],
    'a revoked session': [
      { revocation: 'r', kind: 'session', issuer: 'https://i', session: 'digest' },
      { revocation: 'r', kind: 'session', issuer: 'https://i', session: 'digest' },
    ],
    'a damaged row': [{ unreadable: '{"owner":"alice"' }, { unreadable: subject('{"owner":"alice"') }],
    'no owner': [{ owner: null }, { owner: null }],
    'an owner that is none': [
      { owner: damaged({ name: 'alice' }), subject: 7, cidrs: 'alice' },
      { owner: subject('{"name":"alice"}'), subject: subject('7'), cidrs: subject('alice') },
    ],
    'networks that are none': [
      { cidrs: ['alice', damaged({ a: 'alice' }) as string] },
      { cidrs: [subject('alice'), subject('{"a":"alice"}')] },
    ],
    'the configuration': [
      { version: '1', environment: 'production', files: ['abc  gateway.yaml'] },
      { version: '1', environment: 'production', files: ['abc  gateway.yaml'] },
    ],
  }
  for (const [name, [what, expected]] of Object.entries(whats))
    it(`of ${name}`, () =>
      assert.deepEqual(pseudonymousChange({ ...change, what }, pseudonyms), {
        ...change,
        by: `admin-api ${address('10.0.0.7')}`,
        what: expected,
      }))

  it('and a closed stream needs none', () => assert.equal(NAMES_NOBODY, 'nobody'))
})
