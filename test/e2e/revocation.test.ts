import assert from 'node:assert/strict'
import { renameSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { loadGateway } from '../../src/config/load.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { type DevelopmentIssuer, developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { readChain } from '../audit/records.ts'
import { RecordingUpstream } from '../support/gateway.ts'
import { type AuditRecord, auditLines, auditRecords, filesOf, printed, run, type Serving, serving, until } from './program.ts'

/** Revocation as operators use it: a command beside a gateway that runs, and gateways that are killed. */

const ROUTES = 'plane: BOTH\nupstream: things\nroutes:\n  - { id: things, path: /things, require: any }\n'
/** Milliseconds within which a gateway must have followed; the promise is 250, and the machine may be busy. */
const SOON = 1_000

let upstream: RecordingUpstream
before(async () => {
  upstream = await RecordingUpstream.start()
})
after(() => upstream.close())

function gatewayFiles(test: TestContext) {
  const files = filesOf(test, `upstreams: { things: { targets: ['${upstream.origin}'] } }\n`, ROUTES)
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  return {
    ...files,
    issuer: openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway)),
    database: loaded.gateway.stores.database,
  }
}

const person = (issuer: DevelopmentIssuer, claims: Record<string, unknown>) =>
  issuer.sign({ sub: 'alice', plane: 'human', ...claims })

async function status({ url }: Pick<Serving, 'url'>, credential: string): Promise<number> {
  const headers = credential.startsWith('pgk_') ? { 'x-api-key': credential } : { authorization: `Bearer ${credential}` }
  const response = await fetch(`${url}/things`, { headers })
  await response.arrayBuffer()
  return response.status
}

const revoke = async (test: TestContext, file: string, ...argv: string[]) =>
  JSON.parse(await printed(test, ['sessions', 'revoke', ...argv, '--config', file, '--json'])) as { id: string }

const revocationIn = (record: AuditRecord | undefined) => (record?.what as { revocation?: string } | undefined)?.revocation
const changesIn = (folder: string) => auditRecords(folder).filter(({ event }) => event === 'change')

describe('sessions revoke beside a running gateway', () => {
  it('is followed by a gateway that has the token in its cache, and still holds after kill -9', async (test) => {
    const { file, folder, issuer } = gatewayFiles(test)
    const iat = Math.floor(Date.now() / 1000)
    const revoked = {
      session: person(issuer, { sid: 's-1', sub: 'carol' }),
      token: person(issuer, { sid: 's-2', jti: 'j-1', sub: 'dave' }),
      subject: person(issuer, { sid: 's-3', iat }),
      undated: person(issuer, { sid: 's-4', iat: undefined }),
    }
    const kept = {
      'another session of that person': person(issuer, { sid: 's-5', sub: 'carol' }),
      'another token of that session': person(issuer, { sid: 's-2', jti: 'j-2', sub: 'dave' }),
      'another subject': person(issuer, { sid: 's-6', sub: 'bob' }),
    }
    const first = await serving(test, file)
    const all = Object.entries({ ...revoked, ...kept })
    for (const [name, token] of all) assert.equal(await status(first, token), 200, name)
    for (const [name, token] of all) assert.equal(await status(first, token), 200, `${name}, from the cache`)

    const issuerName = 'http://127.0.0.1:8080/development'
    const made = [
      await revoke(test, file, '--sid', 's-1', '--issuer', issuerName),
      await revoke(test, file, '--jti', 'j-1'),
      await revoke(test, file, '--subject', 'alice'),
      await revoke(test, file, '--sid', 's-5', '--issuer', 'https://elsewhere.example.com'),
    ]
    for (const [name, token] of Object.entries(revoked))
      await until(`${name} is refused`, async () => (await status(first, token)) === 401, SOON)
    for (const [name, token] of Object.entries(kept)) assert.equal(await status(first, token), 200, name)
    assert.equal(await status(first, person(issuer, { sid: 's-7', iat: iat + 10 })), 200, 'a later login of the subject')

    await until('the changes are in the audit log', () => changesIn(folder).length === made.length)
    assert.deepEqual(
      changesIn(folder).map(revocationIn),
      made.map(({ id }) => id),
    )
    assert.ok(auditLines(folder).every((line) => !/"s-\d"/.test(line)))
    const reasons = auditRecords(folder).flatMap(({ reason }) => (typeof reason === 'string' ? [reason] : []))
    assert.deepEqual(new Set(reasons), new Set(['session-revoked', 'token-revoked', 'subject-revoked']))

    first.program.kill('SIGKILL')
    await first.program.end()
    const second = await serving(test, file)
    for (const [name, token] of Object.entries(revoked)) assert.equal(await status(second, token), 401, name)
    for (const [name, token] of Object.entries(kept)) assert.equal(await status(second, token), 200, name)
    assert.equal(new Set(changesIn(folder).map(({ changeId }) => changeId)).size, made.length)
    await readChain(join(folder, 'data', 'audit'))
  })

  it('is audited by the next start when no gateway ran, and refused from its first request on', async (test) => {
    const { file, folder, issuer } = gatewayFiles(test)
    const { id } = await revoke(test, file, '--sid', 's-1')
    const key = JSON.parse(await printed(test, ['keys', 'create', '--owner', 'billing', '--config', file, '--json']))
    await printed(test, ['keys', 'revoke', key.id, '--config', file])
    const gateway = await serving(test, file)
    assert.equal(await status(gateway, person(issuer, { sid: 's-1' })), 401)
    assert.equal(await status(gateway, key.key), 401)
    await until('three changes are recorded', () => changesIn(folder).length === 3)
    const [first, ...more] = changesIn(folder)
    assert.equal(revocationIn(first), id)
    assert.match(String(first?.by), /^command-line .+@.+$/)
    assert.deepEqual(
      [first, ...more].map((change) => change?.action),
      ['revocation-added', 'key-created', 'key-revoked'],
    )
    assert.ok(!auditLines(folder).join().includes(key.key))
  })

  it('loses no audit record when the gateway is killed right after a change, five times over', async (test) => {
    const { file, folder, database } = gatewayFiles(test)
    const made: string[] = []
    for (let round = 0; round < 5; round++) {
      const gateway = await serving(test, file)
      made.push((await revoke(test, file, '--sid', `s-${round}`)).id)
      gateway.program.kill('SIGKILL')
      await gateway.program.end()
    }
    await serving(test, file)
    const recorded = () => new Set(changesIn(folder).map(revocationIn))
    await until('all are recorded', () => made.every((id) => recorded().has(id)))
    assert.equal(recorded().size, made.length)
    const ids = changesIn(folder).map(({ changeId }) => changeId)
    assert.equal(new Set(ids).size, made.length, 'what was recorded twice has one change id')
    const db = await openDatabase(database)
    test.after(() => db.close())
    await until('all are marked', async () => {
      const left = await db.kysely.selectFrom('changes').select('number').where('recorded_at', 'is', null).execute()
      return left.length === 0
    })
    await readChain(join(folder, 'data', 'audit'))
  })
})

describe('the database of a running gateway', () => {
  it('gone: tokens are refused with 503 after maxStaleness, readiness says why, the lag grows', async (test) => {
    const files = filesOf(
      test,
      `upstreams: { things: { targets: ['${upstream.origin}'] } }\nrevocation: { maxStaleness: 500ms }\n`,
      ROUTES,
    )
    const loaded = loadGateway(files.file)
    assert.ok(loaded.ok)
    const token = person(openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway)), { sid: 's-1' })
    const gateway = await serving(test, files.file)
    assert.equal(await status(gateway, token), 200)
    const path = join(files.folder, 'data', 'planegate.db')
    renameSync(path, `${path}.away`)
    await until('tokens are refused', async () => (await status(gateway, token)) === 503)
    const { failing } = (await (await fetch(`${gateway.admin}/readyz`)).json()) as { failing: { name: string }[] }
    assert.ok(failing.some(({ name }) => name === 'revocation_list'))
    const metrics = await (await fetch(`${gateway.admin}/metrics`)).text()
    assert.ok(Number(/^planegate_revocation_lag_seconds (\S+)$/m.exec(metrics)?.[1]) > 0.5)
    renameSync(`${path}.away`, path)
    await until('tokens are taken again', async () => (await status(gateway, token)) === 200)
    assert.equal((await run(test, ['sessions', 'revoke', '--sid', 's-1', '--config', files.file])).code, 0)
    await until('the session is refused', async () => (await status(gateway, token)) === 401, SOON)
  })
})
