import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Principal } from '../../src/domain/credential.ts'
import type { RevokedReason } from '../../src/domain/revocation.ts'
import type { StreamRecord } from '../../src/domain/stream-record.ts'
import type { Granted } from '../../src/pipeline/stages/vouch.ts'
import type { ApiKeyRecord } from '../../src/ports/credential-store.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { credentialStanding, type Standing } from '../../src/upstream/credential-standing.ts'
import { EventBoundary, lastEvent } from '../../src/upstream/last-event.ts'
import { type OpenStream, OpenStreams } from '../../src/upstream/open-streams.ts'
import { inbound, machine, principal, route } from '../support/requests.ts'
import { until } from './fixture.ts'

const clock = { now: () => 1_500_000, monotonic: () => 5 }

/** An open stream that notes what becomes of it. */
class Noted implements OpenStream {
  readonly kind = 'event-stream'
  readonly granted: Granted
  readonly told: string[] = []

  constructor(whose: Principal | null) {
    this.granted = { facts: { inbound: inbound(), route: route(), principal: whose } } as unknown as Granted
  }

  withdraw({ code, reason }: Refusal): void {
    this.told.push(`${code}: ${reason}`)
  }

  stop(): void {
    this.told.push('stop')
  }
}

function streamsFor(standing: Standing) {
  const records: StreamRecord[] = []
  const streams = new OpenStreams({ standing, clock, auditLog: { appendStreamClosed: (record) => void records.push(record) } })
  return { streams, records }
}

describe('open streams', () => {
  it('are looked over only while there are any', () => {
    const { streams } = streamsFor(() => null)
    assert.equal(streams.watching, false)
    const [one, other] = [new Noted(principal()), new Noted(principal())]
    streams.opened(one)
    streams.opened(other)
    streams.closed(one)
    streams.closed(one)
    assert.equal(streams.watching, true)
    streams.closed(other)
    assert.equal(streams.watching, false)
    assert.equal(streams.size, 0)
  })

  it('are closed, forgotten and recorded once when their credential no longer counts; others stay, and those of nobody', async () => {
    const revoked = principal({ subject: 'revoked' })
    const { streams, records } = streamsFor(({ subject }) => (subject === 'revoked' ? 'session-revoked' : null))
    const [gone, stays, nobodys] = [new Noted(revoked), new Noted(principal()), new Noted(null)]
    for (const stream of [gone, stays, nobodys]) streams.opened(stream)
    await until(() => gone.told.length > 0, 'it is closed')
    const later = new Noted(revoked)
    streams.opened(later)
    await until(() => later.told.length > 0, 'the next look')
    assert.deepEqual(
      [gone, stays, nobodys].map(({ told }) => told),
      [['credential-invalid: session-revoked'], [], []],
    )
    assert.equal(streams.size, 2)
    assert.equal(records.length, 2)
    assert.deepEqual(records[0], {
      time: '1970-01-01T00:25:00.000Z',
      requestId: 'request-1',
      route: 'things',
      stream: 'event-stream',
      code: 'credential-invalid',
      reason: 'session-revoked',
      credential: { kind: 'jwt', id: 'digest-1' },
      session: 'session-digest-1',
    })
    streams.drain()
  })

  for (const { name, error, told } of [
    {
      name: 'a list that cannot tell',
      error: new Refusal('revocation-unavailable', 'list-behind'),
      told: 'revocation-unavailable: list-behind',
    },
    { name: 'an error that nobody foresaw', error: new Error('boom'), told: 'internal: unexpected-error' },
  ])
    it(`are closed after ${name}`, async () => {
      const { streams, records } = streamsFor(() => {
        throw error
      })
      const stream = new Noted(principal())
      streams.opened(stream)
      await until(() => stream.told.length > 0, 'it is closed')
      assert.deepEqual(stream.told, [told])
      assert.equal(records.length, 1)
      assert.equal(streams.watching, false)
    })

  it('in their thousands are one question for each credential and look, and requests come in between', async () => {
    const people = Array.from({ length: 10 }, (_, index) => principal({ subject: `user-${index}` }))
    let asked = 0
    let looks = 0
    const { streams } = streamsFor(({ subject }) => {
      asked += 1
      if (subject === 'user-0') looks += 1
      return null
    })
    const many = Array.from({ length: 10_000 }, (_, index) => new Noted(people[index % people.length] as Principal))
    for (const stream of many) streams.opened(stream)
    await until(() => looks >= 2 && asked === looks * people.length, 'two looks')
    streams.drain()
    assert.ok(many.every(({ told }) => told.length === 1 && told[0] === 'stop'))
    assert.equal(streams.watching, false)
  })

  it('that leave during a look are not asked about, and those of one look are all closed', async () => {
    const { streams, records } = streamsFor(() => 'revoked')
    const many = Array.from({ length: 2_500 }, () => new Noted(principal()))
    const last = many.at(-1) as Noted
    const [first] = many as [Noted]
    first.withdraw = () => streams.closed(last)
    for (const stream of many) streams.opened(stream)
    await until(() => streams.size === 0, 'all are closed')
    assert.deepEqual(last.told, [])
    assert.equal(records.length, 2_499)
  })

  it('that open while the gateway stops are stopped at once', () => {
    const { streams, records } = streamsFor(() => null)
    streams.drain()
    const late = new Noted(principal())
    streams.opened(late)
    assert.deepEqual(late.told, ['stop'])
    assert.deepEqual([streams.size, streams.watching, records.length], [0, false, 0])
  })
})

describe('a credential that was good once', () => {
  const key: ApiKeyRecord = {
    id: 'key-1',
    digest: '',
    owner: 'acme',
    scopes: [],
    cidrs: [],
    createdAt: 0,
    expiresAt: null,
    revokedAt: null,
    replacedBy: null,
  }
  const cases: {
    name: string
    who?: Principal
    revoked?: RevokedReason
    record?: Partial<ApiKeyRecord> | null
    says: string | null
  }[] = [
    { name: 'a token before its end', who: principal({ expiresAt: 1_501 }), says: null },
    { name: 'a token at its end', who: principal({ expiresAt: 1_500 }), says: 'expired' },
    { name: 'a revoked session', who: principal(), revoked: 'session-revoked', says: 'session-revoked' },
    { name: 'a key', says: null },
    { name: 'a key before its end', record: { expiresAt: 1_500_001 }, says: null },
    { name: 'a key at its end', record: { expiresAt: 1_500_000 }, says: 'expired' },
    { name: 'a revoked key', record: { revokedAt: 1 }, says: 'revoked' },
    { name: 'a key that is gone', record: null, says: 'unknown-key' },
    { name: 'a key revoked by its credential id', revoked: 'credential-revoked', says: 'credential-revoked' },
  ]
  for (const { name, who = machine(), revoked = null, record = {}, says } of cases)
    it(`${name}: ${says ?? 'good'}`, () => {
      const standing = credentialStanding({
        clock,
        revocations: { revoked: () => revoked },
        credentials: { findApiKey: () => (record === null ? null : { ...key, ...record }) },
      })
      assert.equal(standing(who), says)
    })

  it('cannot be told when the list fails, whatever it throws', () => {
    for (const error of [new Error('boom'), new Refusal('revocation-unavailable', 'list-behind')]) {
      const revoked = () => {
        throw error
      }
      const standing = credentialStanding({ clock, revocations: { revoked }, credentials: { findApiKey: () => null } })
      assert.throws(() => standing(principal()), { code: 'revocation-unavailable' })
    }
  })
})

describe('the boundary of events', () => {
  for (const [chunks, between] of [
    [[], true],
    [['data: 1\n\n'], true],
    [['data: 1\r\n\r\n'], true],
    [['data: 1\r\r'], true],
    [['data: 1\n', '\n'], true],
    [['data: 1\r\n', '\r', '\n'], true],
    [['data: 1\n\r\n'], true],
    [['data: 1'], false],
    [['data: 1\n'], false],
    [['data: 1\r\n'], false],
    [['data: 1\r', '\n'], false],
    [['data: 1\n\n', 'id'], false],
    [['\n\n', ''], true],
  ] as const)
    it(`${JSON.stringify(chunks)} ${between ? 'ends between two' : 'ends inside one'}`, () => {
      const boundary = new EventBoundary()
      for (const chunk of chunks) boundary.see(Buffer.from(chunk))
      assert.equal(boundary.between, between)
      const text = lastEvent(boundary, 'gateway-stopping', 'request-1')
      const ours = 'event: planegate-closed\ndata: {"code":"gateway-stopping","requestId":"request-1"}\n\n'
      assert.equal(text, between ? ours : `\nevent: planegate-incomplete\n\n${ours}`)
    })
})
