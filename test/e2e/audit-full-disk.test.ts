import assert from 'node:assert/strict'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { loadGateway } from '../../src/config/load.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { BASICS, RecordingUpstream } from '../support/gateway.ts'
import { AuditDirectory, namedTorn, publicKeyOf } from './audit-log.ts'
import { CHECKPOINTS, FULL, SIZE_LIMIT, type Trouble } from './audit-trouble.ts'
import { filesOf, logLines, type Serving, serving, until } from './program.ts'

/** A log that cannot be written: its disk is full, or only the file of its checkpoints cannot be used. And then it can be written again. */

const ROUTES = 'plane: HUMAN_ONLY\nupstream: things\nroutes:\n  - { id: things, path: /things, require: any }\n'
const ADMIN_TOKEN = 'an-administrator-in-a-test-of-full-disks'
/** Milliseconds within which writing goes on once it can; the writer tries every 250. */
const SOON = 2_000

let upstream: RecordingUpstream
before(async () => {
  upstream = await RecordingUpstream.start()
})
after(() => upstream.close())

interface Answer {
  readonly status: number
  readonly code: string | null
  readonly retryAfter: string | undefined
  readonly requestId: string
}

async function open(test: TestContext, trouble: Trouble, onUnavailable: string) {
  const config = `upstreams: { things: { targets: ['${upstream.origin}'] } }\n`
  const elsewhere = trouble.prepare(test)
  const audit = `audit: { directory: ${elsewhere ?? './data/audit'}, key: { file: ./keys/audit.pem }, checkpoint: { interval: 1s }, ${onUnavailable} }\n`
  const admin = 'admin: { host: 127.0.0.1, port: 0, token: { env: PLANEGATE_ADMIN_TOKEN } }\n'
  const basics = BASICS.replace(/^audit: .*\n/m, audit).replace(/^admin: .*\n/m, admin)
  const { folder, file } = filesOf(test, config, ROUTES, basics)
  const directory = elsewhere ?? join(folder, 'data', 'audit')
  const loaded = loadGateway(file)
  assert.ok(loaded.ok)
  const issuer = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway))
  // A record of many words: what waits in memory has a bound that is to be reached.
  const names = (kind: string) => Array.from({ length: 60 }, (_, index) => `${kind}:${index}:`.padEnd(40, 'x'))
  const token = issuer.sign({ sub: 'alice', sid: 's-1', plane: 'human', scope: names('scope').join(' '), roles: names('role') })
  const gateway = await serving(test, file, { env: { PLANEGATE_ADMIN_TOKEN: ADMIN_TOKEN } })
  const agent = new Agent({ keepAlive: true, maxSockets: 16 })
  test.after(() => agent.destroy())
  const answers: Answer[] = []
  const ask = async () => {
    const answer = await asked(gateway, agent, token)
    answers.push(answer)
    return answer
  }
  return {
    file,
    gateway,
    directory,
    answers,
    ask,
    log: new AuditDirectory(directory),
    key: publicKeyOf(join(folder, 'keys', 'audit.pem')),
  }
}

type Opened = Awaited<ReturnType<typeof open>>

function asked({ url }: Serving, agent: Agent, token: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${url}/things`, { agent, headers: { authorization: `Bearer ${token}` } }, async (response) => {
      const text = (await response.setEncoding('utf8').toArray()).join('')
      const { statusCode: status = 0, headers } = response
      const code = status === 200 ? null : (JSON.parse(text) as { code: string }).code
      resolve({ status, code, retryAfter: headers['retry-after'], requestId: String(headers['x-request-id']) })
    })
    outgoing.on('error', reject).end()
  })
}

const failingChecks = async ({ admin }: Serving): Promise<string[]> => {
  const { failing } = (await (await fetch(`${admin}/readyz`)).json()) as { failing: { name: string }[] }
  return failing.map(({ name }) => name)
}

async function droppedIn({ admin }: Serving): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  return Number(/^planegate_audit_dropped_total (\S+)$/m.exec(text)?.[1])
}

async function administer({ admin }: Serving, method: string, path: string, body?: object) {
  const headers = { authorization: `Bearer ${ADMIN_TOKEN}`, ...(body && { 'content-type': 'application/json' }) }
  const answer = await fetch(`${admin}/admin/v1${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) })
  return { status: answer.status, json: (await answer.json()) as Record<string, unknown> }
}

/** Stops it. Whatever was answered has one record, or is among those that the log says were shed. Gives how many those are. */
async function assertComplete({ gateway, answers, log, key }: Opened): Promise<number> {
  gateway.program.kill('SIGTERM')
  const { code, stdout } = await gateway.program.end()
  assert.equal(code, 0, stdout)
  const { shed } = await log.holds([key])
  const recorded = (await log.lines()).flatMap(({ requestId }) => requestId ?? [])
  assert.equal(new Set(recorded).size, recorded.length, 'a request was recorded twice')
  const missing = answers.filter(({ requestId }) => !new Set(recorded).has(requestId)).length
  assert.deepEqual([missing, recorded.length + shed], [shed, answers.length])
  return shed
}

/** What the store says of keys is what the log says of them. */
async function assertKeysRecorded(gateway: Serving, { log }: Opened): Promise<void> {
  const { json } = await administer(gateway, 'GET', '/keys')
  const keys = json.keys as { id: string; state: string }[]
  const expected = keys.flatMap(({ id, state }) => [`key-created ${id}`, ...(state === 'revoked' ? [`key-revoked ${id}`] : [])])
  const changes = async () =>
    (await log.events('change'))
      .filter(({ action }) => String(action).startsWith('key-'))
      .map(({ action, what }) => `${String(action)} ${(what as { key: string }).key}`)
  await until('the changes are recorded', async () => (await changes()).length >= expected.length)
  assert.deepEqual((await changes()).toSorted(), expected.toSorted())
}

describe('a log that cannot be written', () => {
  for (const trouble of [FULL, CHECKPOINTS]) {
    it(`${trouble.name}, deny: nothing is served, and it goes on without a restart`, async (test) => {
      const opened = await open(test, trouble, 'onUnavailable: deny')
      const { gateway, directory, ask } = opened
      assert.equal((await ask()).status, 200)
      const { json: kept } = await administer(gateway, 'POST', '/keys', { owner: 'before' })
      assert.equal(typeof kept.id, 'string')

      await trouble.begin(directory, gateway)
      await until('requests are refused', async () => (await ask()).status === 503)
      const before = upstream.seen.length
      for (let index = 0; index < 20; index += 1) {
        const { status, code, retryAfter } = await ask()
        assert.deepEqual([status, code, retryAfter], [503, 'audit-unavailable', '5'])
      }
      assert.equal(upstream.seen.length, before, 'a refused request reached the upstream')
      assert.deepEqual(await failingChecks(gateway), ['audit'])
      const codes = ['audit-unavailable', ...(trouble === SIZE_LIMIT ? ['store-unavailable'] : [])]
      for (const [path, body] of [
        ['/keys', { owner: 'during' }],
        [`/keys/${String(kept.id)}/revoke`],
        ['/revocations', { session: 's-9' }],
      ] as const) {
        const { status, json } = await administer(gateway, 'POST', path, body)
        assert.deepEqual([status, codes.includes(String(json.code))], [503, true], JSON.stringify(json))
        assert.equal(json.key, undefined, 'a secret was shown')
      }

      trouble.end(directory, gateway)
      await until('requests are served again', async () => (await ask()).status === 200, SOON)
      assert.deepEqual(await failingChecks(gateway), [])
      await assertKeysRecorded(gateway, opened)
      assert.equal(await droppedIn(gateway), 0)
      assert.equal(await assertComplete(opened), 0)
    })
  }

  it(`${FULL.name} at a stop: it says how much is lost, and the next start with room goes on`, async (test) => {
    const opened = await open(test, FULL, 'onUnavailable: deny')
    const { gateway, directory, ask, log, key, file } = opened
    assert.equal((await ask()).status, 200)
    await FULL.begin(directory, gateway)
    await until('requests are refused', async () => (await ask()).status === 503)
    gateway.program.kill('SIGTERM')
    const { code, stdout } = await gateway.program.end()
    assert.equal(code, 1)
    const [fatal] = logLines(stdout).filter(({ level }) => level === 'fatal')
    const [, lost] =
      /not everything was written: (\d+) audit records could not be written before the stop/.exec(fatal?.msg ?? '') ?? []
    assert.ok(Number(lost) > 0, stdout)
    const torn = await log.tornEnds()
    FULL.end(directory, null)
    const again = await serving(test, file, { env: { PLANEGATE_ADMIN_TOKEN: ADMIN_TOKEN } })
    again.program.kill('SIGTERM')
    assert.equal((await again.program.end()).code, 0)
    await log.holds([key])
    const lines = await log.lines()
    assert.deepEqual([(await log.events('recovered')).length, namedTorn(lines)], [1, torn])
    const recorded = lines.filter(({ requestId }) => requestId !== undefined).length
    // Of the last batch the first lines may have arrived whole: they are in the log after all, and counted as lost before.
    const { length } = opened.answers
    assert.ok(recorded <= length && recorded + Number(lost) >= length, `${recorded} recorded, ${lost} lost, ${length} answered`)
  })

  it(`${FULL.name}, shed: everything is served, and what could not be kept is counted`, async (test) => {
    const opened = await open(test, FULL, 'onUnavailable: shed, reason: a test')
    const { gateway, directory, ask, log } = opened
    assert.equal((await ask()).status, 200)
    await FULL.begin(directory, gateway)
    const askOn = async () => {
      while ((await droppedIn(gateway)) < 50) for (let index = 0; index < 50; index += 1) assert.equal((await ask()).status, 200)
    }
    await Promise.all(Array.from({ length: 16 }, askOn))
    FULL.end(directory, gateway)
    await until('it is written down', async () => (await log.events('shed')).length > 0, SOON + 5_000)
    assert.equal((await ask()).status, 200)
    const dropped = await droppedIn(gateway)
    assert.ok(dropped >= 50)
    assert.equal(await assertComplete(opened), dropped)
  })

  it(`${CHECKPOINTS.name}, shed: everything is served and written, and signed when that is possible again`, async (test) => {
    const opened = await open(test, CHECKPOINTS, 'onUnavailable: shed, reason: a test')
    const { gateway, directory, ask, log } = opened
    assert.equal((await ask()).status, 200)
    await CHECKPOINTS.begin(directory, gateway)
    const signed = async () => (await log.events('checkpoint')).length
    const before = await signed()
    await gateway.program.says(/The audit log cannot be written/)
    for (let index = 0; index < 20; index += 1) assert.equal((await ask()).status, 200)
    const newest = opened.answers.at(-1)?.requestId
    await until('the records are written', async () => (await log.lines()).some(({ requestId }) => requestId === newest))
    assert.equal(await signed(), before)
    CHECKPOINTS.end(directory, gateway)
    await until('it is signed again', async () => (await signed()) > before, SOON)
    assert.equal(await assertComplete(opened), 0)
  })
})
