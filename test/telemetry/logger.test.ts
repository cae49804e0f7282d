import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { Secret } from '../../src/domain/secret.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { createLogger, type LogThreshold, logRefusal } from '../../src/telemetry/logger.ts'
import { decision } from '../audit/records.ts'

function setUp(level: LogThreshold = 'info') {
  const lines: string[] = []
  const logger = createLogger({ level, secretHeaders: ['X-Team-Key'], stream: { write: (line) => lines.push(line) } })
  return { logger, text: () => lines.join(''), records: (): Record<string, unknown>[] => lines.map((line) => JSON.parse(line)) }
}

const SECRET = 'hunter2-hunter2'
const JWT = `eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.${'s'.repeat(40)}`
const KEY = `pgk_${'k'.repeat(40)}`

class Request {
  headers = { authorization: `Bearer ${SECRET}` }
  raw = { rawHeaders: ['X-Anything', SECRET] }
}

const attached = Object.assign(
  new Error('fetch failed', { cause: Object.assign(new Error('inner'), { headers: { cookie: SECRET } }) }),
  {
    code: 'ECONNREFUSED',
    request: new Request(),
    headers: { authorization: SECRET },
  },
)

const leaks: [string, Record<string, unknown>][] = [
  ['a header at the top', { authorization: SECRET }],
  ['a header in another spelling', { headers: { Proxy_Authorization: SECRET, 'X-API-Key': SECRET, X_Api_Key: SECRET } }],
  ['cookies', { req: { headers: { cookie: SECRET } }, res: { headers: { 'Set-Cookie': [SECRET] } } }],
  ['the assertion header', { a: { b: { c: { 'x-planegate-assertion': SECRET, 'Txn-Token': SECRET } } } }],
  ['a configured header', { headers: { 'x-team-key': SECRET } }],
  ['tokens by name', { token: SECRET, body: { access_token: SECRET, accessToken: SECRET, client_assertion: SECRET } }],
  ['a list of raw headers', { rawHeaders: ['X-Anything', SECRET] }],
  ['an instance', { request: new Request() }],
  ['what hangs on an error', { err: attached }],
  ['an error under another name', { failure: [attached] }],
  ['something deeper than anyone looks', { a: { b: { c: { d: { e: { f: { g: { h: SECRET } } } } } } } }],
  ['a wrapped secret', { value: new Secret(SECRET) }],
  ['a map', { headers: new Map([['authorization', SECRET]]), set: new Headers({ authorization: SECRET }) }],
  ['a token in a text', { note: `token was ${JWT}` }],
  ['a key in a text', { note: [KEY] }],
  ['a scheme in a text', { note: `sent Bearer ${SECRET}` }],
  ['a password in a URL', { url: `postgres://app:${SECRET}@db/app` }],
  ['a token in the message of an error', { err: new Error(`bad ${JWT}`, { cause: new Error(KEY) }) }],
]

describe('logger', () => {
  it('writes one JSON line with ISO time, level in words, process and message', () => {
    const { logger, records } = setUp()
    logger.info({ port: 8080 }, 'The gateway accepts requests.')
    const [record] = records()
    assert.match(String(record?.time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    assert.deepEqual(
      { ...record, time: '' },
      { level: 'info', time: '', pid: process.pid, port: 8080, msg: 'The gateway accepts requests.' },
    )
  })

  it('keeps quiet below its level', () => {
    const { logger, text } = setUp('warn')
    logger.info('not this')
    assert.equal(text(), '')
  })

  for (const [name, fields] of leaks) {
    it(`does not write ${name}`, () => {
      const { logger, text, records } = setUp()
      logger.error(fields, 'Something failed.')
      logger.child(fields).info('From a child.')
      assert.equal(records().length, 2)
      for (const secret of [SECRET, JWT, KEY]) assert.ok(!text().includes(secret), text())
    })
  }

  it('does not write a token in a message', () => {
    const { logger, text } = setUp()
    logger.info(`token ${JWT} and key ${KEY}`)
    assert.match(text(), /token \[redacted\] and key \[redacted\]/)
  })

  it('leaves alone what is no secret', () => {
    const fields = {
      route: 'a',
      count: 3,
      at: new Date(0),
      list: [{ ok: true }],
      none: null,
      tokenCache: 'hit',
      code: 'keys-unavailable',
    }
    const { logger, records } = setUp()
    logger.info(fields, 'The bearer of a basic token.')
    const [record] = records()
    assert.deepEqual({ ...record, ...fields, at: '1970-01-01T00:00:00.000Z' }, record)
    assert.equal(record?.msg, 'The bearer of a basic token.')
  })

  it('gives of an error its class, code, message, stack and cause', () => {
    const { logger, records } = setUp()
    logger.error(attached)
    const err = records()[0]?.err as Record<string, unknown>
    assert.deepEqual(Object.keys(err), ['type', 'code', 'message', 'stack', 'cause'])
    assert.deepEqual(err.cause, { type: 'Error', message: 'inner' })
    assert.equal(err.code, 'ECONNREFUSED')
  })

  it('survives a circle and an object that cannot be read', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const { logger, records } = setUp()
    logger.info({ circle, call: () => SECRET, big: 10n }, 'A circle.')
    assert.equal(records()[0]?.msg, 'A circle.')
  })
})

describe('logger of a process', () => {
  it('has its last line on standard output when the process ends at once', () => {
    const module = join(import.meta.dirname, '..', '..', 'src', 'telemetry', 'logger.ts')
    const script = `import { createLogger } from ${JSON.stringify(module)}; createLogger({ level: 'info' }).fatal('The end.'); process.exit(1)`
    const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    assert.equal(status, 1)
    assert.equal(JSON.parse(stdout).msg, 'The end.')
  })
})

describe('log line of a refusal', () => {
  const refusals: [Refusal, string][] = [
    [new Refusal('credential-missing', 'nothing-presented'), 'info'],
    [new Refusal('plane-mismatch', 'api-key-on-human-route'), 'warn'],
    [new Refusal('keys-unavailable', 'keys-unreachable', { cause: attached }), 'error'],
  ]
  for (const [refusal, level] of refusals) {
    it(`speaks of ${refusal.code} as ${level}`, () => {
      const { logger, records } = setUp()
      logRefusal(logger, refusal, decision({ requestId: 'id-7' }))
      const { time: _, pid: __, cause, ...record } = records()[0] ?? {}
      assert.deepEqual(
        { ...record, msg: '' },
        {
          level,
          requestId: 'id-7',
          code: refusal.code,
          reason: refusal.reason,
          route: 'accounts-read',
          clientIp: '192.0.2.1',
          msg: '',
        },
      )
      assert.match(String(record.msg), /^Refused: [A-Z].*\.$/)
      assert.deepEqual(
        cause,
        refusal.code === 'keys-unavailable'
          ? { type: 'Error', code: 'ECONNREFUSED', message: 'fetch failed', cause: { type: 'Error', message: 'inner' } }
          : undefined,
      )
    })
  }

  it('takes a bare error code as cause, and no other text', () => {
    const { logger, records } = setUp()
    for (const cause of ['HPE_INVALID_HEADER_TOKEN', 'GET /secret'])
      logRefusal(logger, new Refusal('internal', 'unexpected-error', { cause }), decision())
    assert.deepEqual(
      records().map((record) => record.cause),
      [{ code: 'HPE_INVALID_HEADER_TOKEN' }, undefined],
    )
  })

  it('shows the stack of what nobody foresaw', () => {
    const { logger, records } = setUp()
    logRefusal(logger, new Refusal('internal', 'unexpected-error', { cause: new TypeError('x is not a function') }), decision())
    const cause = records()[0]?.cause as Record<string, unknown>
    assert.equal(cause.type, 'TypeError')
    assert.match(String(cause.stack), /logger\.test\.ts/)
  })

  it('costs nothing when its level is off', () => {
    const { logger, text } = setUp('error')
    logRefusal(logger, new Refusal('credential-missing', 'nothing-presented'), decision())
    assert.equal(text(), '')
  })
})
