import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import { promisify } from 'node:util'
import Fastify from 'fastify'
import {
  answerIdentityError,
  createIdentityVerifier,
  expressIdentity,
  fastifyIdentity,
  type GuardedRequest,
  type GuardOptions,
  type IdentityContext,
} from '../../src/sdk/upstream.ts'
import { HUMAN, ISSUER, MACHINE } from '../tokens/identity-fixtures.ts'
import { issueNow, keys, listen } from './signing.ts'

declare module 'fastify' {
  interface FastifyRequest {
    identity: IdentityContext | null
  }
}

const verifier = createIdentityVerifier({ jwks: structuredClone(keys.jwks()) as never, issuer: ISSUER, audience: 'accounts' })
const unreachable = createIdentityVerifier({ gateway: 'http://127.0.0.1:1', issuer: ISSUER, audience: 'accounts' })

interface Running extends AsyncDisposable {
  readonly origin: string
}

/** Each says `subject plane` of the identity, or `nobody`. */
const say = (identity: IdentityContext | null | undefined) => (identity ? `${identity.subject} ${identity.plane}` : 'nobody')

function plainNode(own = verifier): Promise<Running> {
  return listen(async (request, response) => {
    try {
      response.end(say(await own.verify(request)))
    } catch (error) {
      answerIdentityError(response, error)
    }
  })
}

/** A chain of `(request, response, next)`, which is all that Express asks of a middleware. */
function express(own = verifier, options: GuardOptions = {}): Promise<Running> {
  const guard = expressIdentity(own, options)
  return listen((request: IncomingMessage & GuardedRequest, response: ServerResponse) => {
    guard(request, response, (error) => {
      response.statusCode = error === undefined ? 200 : 500
      response.end(error === undefined ? say(request.identity) : String(error))
    })
  })
}

async function fastify(own = verifier, options: GuardOptions = {}): Promise<Running> {
  const app = Fastify()
  app.get('/health', () => 'fine')
  app.register(async (scope) => {
    scope.register(fastifyIdentity(own, options))
    scope.get('/', (request) => say(request.identity))
  })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  return { origin, [Symbol.asyncDispose]: () => app.close() }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Through node:http, because `fetch` would join repeated headers before they reach the wire. */
function ask(url: string, headers: Record<string, string | string[]>): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, agent: false }, async (response) => {
      const chunks = await response.toArray()
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() })
    })
    sent.on('error', reject).end()
  })
}

const NAME = 'X-Planegate-Assertion'

for (const { framework, start } of [
  { framework: 'plain Node', start: plainNode },
  { framework: 'Express', start: express },
  { framework: 'Fastify', start: fastify },
]) {
  test(`${framework}: who it is`, async () => {
    await using server = await start()
    assert.equal((await ask(server.origin, { [NAME]: issueNow() })).body, `${HUMAN.subject} HUMAN`)
    assert.equal((await ask(server.origin, { [NAME]: issueNow({ principal: MACHINE }) })).body, `${MACHINE.subject} MACHINE`)
    assert.equal((await ask(server.origin, { 'Txn-Token': issueNow({ binding: 'request' }) })).body, `${HUMAN.subject} HUMAN`)
  })

  test(`${framework}: refusals`, async () => {
    await using server = await start()
    for (const { headers, code } of [
      { headers: {}, code: 'identity-missing' },
      { headers: { [NAME]: 'garbage' }, code: 'identity-invalid' },
      { headers: { [NAME]: [issueNow(), issueNow()] }, code: 'identity-invalid' },
      { headers: { [NAME]: issueNow({ at: 1_600_000_000 }) }, code: 'identity-expired' },
    ] as { headers: Record<string, string | string[]>; code: string }[]) {
      const answer = await ask(server.origin, headers)
      assert.equal(answer.status, 401)
      assert.match(String(answer.headers['content-type']), /^application\/problem\+json/)
      assert.equal(answer.headers['cache-control'], 'no-store')
      assert.equal(answer.headers['www-authenticate'], 'Planegate')
      const { title, ...problem } = JSON.parse(answer.body)
      assert.match(title, /identity/)
      assert.deepEqual(problem, { type: `urn:planegate:problem:${code}`, status: 401, code })
    }
  })

  test(`${framework}: 503 when the keys cannot be had`, async () => {
    await using server = await start(unreachable)
    const answer = await ask(server.origin, { [NAME]: issueNow() })
    assert.equal(answer.status, 503)
    assert.equal(answer.headers['retry-after'], '5')
    assert.equal(answer.headers['www-authenticate'], undefined)
    assert.equal(JSON.parse(answer.body).code, 'keys-unavailable')
  })
}

for (const { framework, start } of [
  { framework: 'Express', start: express },
  { framework: 'Fastify', start: fastify },
]) {
  test(`${framework}: optional lets nobody pass, but no wrong assertion`, async () => {
    await using server = await start(verifier, { optional: true })
    assert.equal((await ask(server.origin, {})).body, 'nobody')
    assert.equal((await ask(server.origin, { [NAME]: issueNow() })).body, `${HUMAN.subject} HUMAN`)
    for (const value of ['', 'garbage', issueNow({ at: 1_600_000_000 })]) {
      assert.equal((await ask(server.origin, { [NAME]: value })).status, 401)
    }
  })

  test(`${framework}: an error that is not about identity is not answered as one`, async () => {
    const broken = { verify: () => Promise.reject(new RangeError('broken')) }
    await using server = await start(broken)
    assert.equal((await ask(server.origin, { [NAME]: issueNow() })).status, 500)
  })
}

for (const headers of [{ [NAME]: issueNow() }, { [NAME]: 'garbage' }] as const) {
  test(`Express: what a handler throws reaches the error handler, once (${headers[NAME].slice(0, 7)})`, async () => {
    const calls: unknown[] = []
    const guard = expressIdentity(verifier)
    await using server = await listen((request: IncomingMessage & GuardedRequest, response: ServerResponse) => {
      guard(request, response, (error) => {
        calls.push(error)
        if (error === undefined) throw new RangeError('thrown by a handler')
        response.statusCode = 500
        response.end()
      })
    })
    const wrong = headers[NAME] === 'garbage'
    assert.equal((await ask(server.origin, headers)).status, wrong ? 401 : 500)
    assert.deepEqual(calls, wrong ? [] : [undefined, new RangeError('thrown by a handler')])
  })
}

test('Express: what an error handler throws is an uncaught exception, as of any callback, and no unhandled rejection', async () => {
  const program = `
    import { expressIdentity } from ${JSON.stringify(new URL('../../src/sdk/frameworks.ts', import.meta.url).href)}
    process.on('uncaughtException', (error, origin) => console.log(origin, error.message))
    const verifier = { verify: () => Promise.reject(new RangeError('broken')) }
    expressIdentity(verifier)({ headers: {} }, {}, (error) => { throw error })`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program])
  assert.equal(stdout, 'uncaughtException broken\n')
})

test('plain Node: an error that is not about identity is thrown on', () => {
  const response = createServer() as unknown as ServerResponse
  assert.throws(() => answerIdentityError(response, new RangeError('broken')), RangeError)
})

test('Fastify: routes outside the scope of the plugin stay open', async () => {
  await using server = await fastify()
  assert.equal((await ask(`${server.origin}/health`, {})).body, 'fine')
})

test('nothing but jose is imported, so no framework needs to be installed', () => {
  const folder = new URL('../../src/sdk/', import.meta.url)
  const specifiers = readdirSync(folder).flatMap((file) =>
    Array.from(readFileSync(new URL(file, folder), 'utf8').matchAll(/ from '([^']+)'/g), ([, specifier]) => String(specifier)),
  )
  assert.ok(specifiers.includes('jose'))
  assert.deepEqual(
    specifiers.filter((specifier) => specifier !== 'jose' && !/^\.\/[a-z-]+\.ts$/.test(specifier)),
    [],
  )
})
