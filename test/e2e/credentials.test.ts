import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { BASICS, RecordingUpstream } from '../support/gateway.ts'
import { filesOf, planegate, printed, run, type Serving, serving } from './program.ts'

/** Credentials made and withdrawn from the command line, in use at a gateway that runs meanwhile. */

const ROUTES = `
plane: BOTH
upstream: app
routes:
  - { id: people, path: /people, plane: HUMAN_ONLY, require: { scopes: [people:read] } }
  - { id: jobs, path: /jobs, plane: MACHINE_ONLY, require: { scopes: [jobs:run] } }
`
/** What is promised, in milliseconds; the assertions leave room for a busy machine. */
const PROMISE = 250
const BOUND = 1_000

async function open(test: TestContext, basics: string = BASICS) {
  const upstream = await RecordingUpstream.start()
  test.after(() => upstream.close())
  return filesOf(test, `upstreams: { app: { targets: ['${upstream.origin}'] } }\n`, ROUTES, basics)
}

const withKey = async ({ url }: Serving, key: string) => {
  const answer = await fetch(`${url}/jobs`, { headers: { 'x-api-key': key } })
  const { code } = (await answer.json()) as { code?: string }
  return code === undefined ? `${answer.status}` : `${answer.status} ${code}`
}

/** Asks until the answer is the wanted one. The clock starts when the verb has ended; what came before counts as the verb's time. */
async function takesEffect(test: TestContext, what: string, ask: () => Promise<string>, wanted: string): Promise<void> {
  const begun = performance.now()
  for (let answer = await ask(); answer !== wanted; answer = await ask()) {
    assert.ok(performance.now() - begun < BOUND, `${what}: still ${answer} after ${BOUND} ms, promised are ${PROMISE}`)
    await delay(5)
  }
  test.diagnostic(`${what}: in force ${Math.round(performance.now() - begun)} ms after the command ended`)
}

describe('credentials', { concurrency: 2 }, () => {
  it('an API key is created, rotated and revoked while the gateway runs', async (test) => {
    const { file } = await open(test)
    const gateway = await serving(test, file)
    const config = ['--json', '--config', file]
    const create = ['keys', 'create', '--owner', 'acme', '--scopes', 'jobs:run', '--expires', '1d']
    const made = JSON.parse(await printed(test, [...create, ...config])) as { id: string; key: string }
    assert.match(made.key, /^pgk_dev_/)
    await takesEffect(test, 'created', () => withKey(gateway, made.key), '200')

    const rotated = JSON.parse(await printed(test, ['keys', 'rotate', made.id, '--overlap', '1h', ...config])) as typeof made
    await takesEffect(test, 'rotated', () => withKey(gateway, rotated.key), '200')
    assert.equal(await withKey(gateway, made.key), '200', 'the old key lives on for the overlap')

    await printed(test, ['keys', 'revoke', made.id, ...config])
    await takesEffect(test, 'revoked', () => withKey(gateway, made.key), '401 credential-invalid')
    assert.equal(await withKey(gateway, rotated.key), '200')

    const listed = await printed(test, ['keys', 'list', ...config])
    assert.deepEqual((JSON.parse(listed) as { id: string }[]).map(({ id }) => id).toSorted(), [made.id, rotated.id].toSorted())
    for (const { key } of [made, rotated]) assert.ok(!listed.includes(key), 'a secret is shown again')
  })

  it('a token of the development issuer is good for what it says, and for its own gateway only', async (test) => {
    const { file } = await open(test)
    const gateway = await serving(test, file)
    const ask = async (token: string, path = '/people') => {
      const answer = await fetch(`${gateway.url}${path}`, { headers: { authorization: `Bearer ${token}` } })
      return answer.status
    }
    const config = ['--config', file]
    const good = await printed(test, ['dev-token', '--sub', 'alice', '--scopes', 'people:read', ...config])
    assert.equal(await ask(good), 200)
    assert.equal(await ask(good, '/jobs'), 403)
    assert.equal(await ask(await printed(test, ['dev-token', '--sub', 'alice', ...config])), 403)
    const machine = ['dev-token', '--sub', 'reporter', '--plane', 'machine', '--scopes', 'jobs:run', ...config]
    assert.equal(await ask(await printed(test, machine), '/jobs'), 200)
    const foreign = await open(test)
    assert.equal(
      await ask(await printed(test, ['dev-token', '--sub', 'alice', '--scopes', 'people:read', '--config', foreign.file])),
      401,
    )
  })

  it('a key of one environment is no key in another', async (test) => {
    const staging = BASICS.replace('environment: development', 'environment: staging').replace(
      'development: { issuer: true }\n',
      '',
    )
    const { file } = await open(test, staging)
    const gateway = await serving(test, file)
    const create = ['keys', 'create', '--owner', 'acme', '--scopes', 'jobs:run', '--json', '--config']
    const { key } = JSON.parse(await printed(test, [...create, file])) as { key: string }
    await takesEffect(test, 'created', () => withKey(gateway, key), '200')
    const { key: elsewhere } = JSON.parse(await printed(test, [...create, (await open(test)).file])) as { key: string }
    assert.equal(await withKey(gateway, elsewhere), '401 credential-invalid')
  })

  it('dev-token gives none outside development', async (test) => {
    const staging = BASICS.replace('environment: development', 'environment: staging').replace(
      'development: { issuer: true }\n',
      '',
    )
    const { folder, file } = await open(test, staging)
    const { code, stdout, stderr } = await run(test, ['dev-token', '--sub', 'alice', '--config', file])
    assert.deepEqual([code, stdout], [1, ''])
    assert.match(stderr, /must say environment: development/)
    assert.ok(!existsSync(join(folder, 'data')), 'a key was made')
  })

  it('migrate prepares a database that serve may not change by itself', async (test) => {
    const { file } = await open(test, BASICS.replace("planegate.db' }", "planegate.db', migrate: manual }"))
    assert.match((await run(test, ['serve', '--config', file])).stdout, /run \\"planegate migrate\\"/)
    assert.match(await printed(test, ['migrate', '--config', file]), /^Applied: /)
    assert.equal(await printed(test, ['migrate', '--config', file]), 'The schema is up to date.')
    await serving(test, file)
  })

  it('revoking an unknown key, and a key that cannot be named, exit with 1', async (test) => {
    const { file } = await open(test)
    const { code, stderr } = await planegate(test, ['keys', 'revoke', 'nobody', '--config', file]).end()
    assert.deepEqual([code, stderr], [1, 'planegate keys: there is no API key "nobody"\n'])
  })
})
