import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { Secret } from '../../src/domain/secret.ts'
import { admission } from '../../src/http/admin-api/admission.ts'
import { Failures } from '../../src/http/admin-api/failures.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { GcraLimiter } from '../../src/stores/memory/gcra-limiter.ts'
import { fakeClock } from '../stores/api-key-fixtures.ts'
import { sendRaw } from '../support/gateway.ts'
import { adminListener, NOW, TOKEN } from './admin-listener.ts'

describe('the admin token', () => {
  const presented: [string, string | null, number, string | null][] = [
    ['the token', `Bearer ${TOKEN}`, 200, null],
    ['the scheme in lower case', `bearer ${TOKEN}`, 200, null],
    ['nothing', null, 401, 'credential-missing'],
    ['another token of the same length', `Bearer ${TOKEN.slice(0, -1)}!`, 401, 'credential-invalid'],
    ['its beginning', `Bearer ${TOKEN.slice(0, 8)}`, 401, 'credential-invalid'],
    ['more than it', `Bearer ${TOKEN}0`, 401, 'credential-invalid'],
    ['an empty one', 'Bearer', 401, 'credential-invalid'],
    ['8,000 characters', `Bearer ${'a'.repeat(8_000)}`, 401, 'credential-invalid'],
    ['letters beyond ASCII', 'Bearer \xe4\xf6\xfc', 401, 'credential-invalid'],
    ['another case', `Bearer ${TOKEN.toUpperCase()}`, 401, 'credential-invalid'],
    ['another scheme', `Basic ${TOKEN}`, 401, 'credential-invalid'],
    ['no scheme', TOKEN, 401, 'credential-invalid'],
    ['two tokens in one header', `Bearer ${TOKEN}, Bearer ${TOKEN}`, 401, 'credential-invalid'],
  ]
  for (const [name, authorization, status, expected] of presented)
    it(`${name} is answered ${status}`, async (test) => {
      const { call, refusals, log } = await adminListener(test)
      const answer = await call('GET', '/admin/v1/keys', {
        token: null,
        headers: authorization === null ? {} : { authorization },
      })
      assert.deepEqual([answer.status, answer.json.code ?? null], [status, expected])
      const challenge = { 'credential-missing': 'Bearer', 'credential-invalid': 'Bearer error="invalid_token"' }
      assert.equal(answer.headers.get('www-authenticate'), challenge[expected as keyof typeof challenge] ?? null)
      assert.deepEqual(
        refusals.map((refusal) => refusal.code),
        expected === null ? [] : [expected],
      )
      assert.ok(!(answer.text + log.join('')).includes(TOKEN))
    })

  it('is refused in two headers, whichever is right', async (test) => {
    const { port } = await adminListener(test)
    const both = `Authorization: Bearer ${TOKEN}\r\nAuthorization: Bearer wrong\r\n`
    const { status, body } = await sendRaw(port, `GET /admin/v1/keys HTTP/1.1\r\nHost: x\r\n${both}\r\n`)
    assert.deepEqual([status, JSON.parse(body).code], [400, 'credential-ambiguous'])
  })

  it('may have any characters that its configuration writes in UTF-8', async () => {
    const token = 'ünïcödé-token-of-thirty-two-characters'
    const clock = fakeClock(NOW)
    const admit = admission({ token: new Secret(token), limiter: new GcraLimiter(clock), clock })
    await admit(['Authorization', `Bearer ${Buffer.from(token, 'utf8').toString('latin1')}`], '192.0.2.1')
  })

  it('is compared by digest, so a wrong one of any length is compared like the right one', async (test) => {
    // timingSafeEqual throws for lengths that differ: an answer other than 401 would show that lengths reach it.
    const { call, clock } = await adminListener(test)
    for (const length of [1, TOKEN.length - 1, TOKEN.length, TOKEN.length + 1, 4_096]) {
      const { status, json } = await call('GET', '/admin/v1/keys', { token: 'x'.repeat(length) })
      assert.deepEqual([length, status, json.code], [length, 401, 'credential-invalid'])
      clock.advance(60_000)
    }
  })
})

describe('failed attempts', () => {
  it('are limited by address; the right token waits with the wrong ones, and nothing was told meanwhile', async (test) => {
    const { call, clock, refusals } = await adminListener(test)
    for (let attempt = 0; attempt < 10; attempt += 1)
      assert.equal((await call('GET', '/admin/v1/keys', { token: attempt % 2 === 0 ? 'wrong' : null })).status, 401)
    for (const token of ['wrong', TOKEN, null]) {
      const { status, json, headers } = await call('GET', '/admin/v1/keys', { token })
      assert.deepEqual([status, json.code, headers.get('retry-after')], [429, 'rate-limited', '6'])
      assert.match(headers.get('ratelimit-policy') ?? '', /^"admin-failures";q=10;w=60$/)
    }
    assert.equal(refusals.at(-1)?.reason, 'admin-failures')
    clock.advance(6_000)
    assert.equal((await call('GET', '/admin/v1/keys')).status, 200)
    assert.equal((await call('GET', '/admin/v1/keys', { token: 'wrong' })).status, 401)
    assert.equal((await call('GET', '/admin/v1/keys')).status, 429)
  })

  it('do not touch other addresses, and are counted by the /64 of an IPv6 address', async () => {
    const clock = fakeClock(NOW)
    const failures = new Failures(new GcraLimiter(clock), clock)
    for (let attempt = 0; attempt < 10; attempt += 1)
      assert.equal(await failures.count(`2001:db8::${attempt.toString(16)}`), null)
    assert.equal(failures.refusing('2001:db8::ffff')?.admitted, false)
    assert.equal(failures.refusing('2001:db8:0:1::1'), null)
    assert.equal(failures.refusing('192.0.2.1'), null)
  })

  it('are refused with 429 when many come at once', async () => {
    const clock = fakeClock(NOW)
    const failures = new Failures(new GcraLimiter(clock), clock)
    const answers = await Promise.all(Array.from({ length: 15 }, () => failures.count('192.0.2.1')))
    assert.equal(answers.filter((answer) => answer === null).length, 10)
  })

  it('refuse when they cannot be counted', async () => {
    const clock = fakeClock(NOW)
    const take = () => Promise.reject(new Refusal('limiter-unavailable', 'limit-undeclared'))
    const admit = admission({ token: new Secret(TOKEN), limiter: { take }, clock })
    for (const token of ['wrong', TOKEN])
      await assert.rejects(admit(['Authorization', `Bearer ${token}`], '192.0.2.1'), { code: 'limiter-unavailable' })
  })

  it('leave requests with the right token alone, which have a wide limit of their own', async (test) => {
    const { call } = await adminListener(test)
    const statuses: number[] = []
    for (let count = 0; count < 101; count += 1) statuses.push((await call('GET', '/admin/v1/keys')).status)
    assert.deepEqual([statuses.slice(0, 100).every((status) => status === 200), statuses[100]], [true, 429])
  })
})
