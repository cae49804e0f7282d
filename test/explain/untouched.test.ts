import assert from 'node:assert/strict'
import { hash } from 'node:crypto'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { openExplainer } from '../../src/composition/explainer.ts'
import { loadGateway } from '../../src/config/load.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { connectDatabase } from '../../src/stores/sql/open-database.ts'
import { migrateDown } from '../../src/stores/sql/schema-version.ts'
import { BASICS, gatewayFolder, sendRaw, startGateway } from '../support/gateway.ts'
import { presentable } from './credentials.ts'

/** Explaining leaves no trace: no file is made, changed or left behind, and nothing is counted. */

const ROUTES = 'plane: BOTH\nupstream: u\nroutes:\n  - { id: r, path: /r, require: any }\n'
const CONFIG = `${BASICS}\nupstreams: { u: { targets: ['http://127.0.0.1:9'] } }\n`

function folderFor(t: TestContext, config = CONFIG) {
  const files = gatewayFolder(config, { r: ROUTES })
  t.after(() => rmSync(files.folder, { recursive: true, force: true }))
  return files
}

/** Every file below, with what is in it. The index of a write-ahead log is shared memory, in which readers note where they read. */
function everything(folder: string): Record<string, string> {
  const names = readdirSync(folder, { recursive: true }).map(String).sort()
  return Object.fromEntries(
    names.map((name) => {
      const path = join(folder, name)
      if (statSync(path).isDirectory()) return [name, 'a folder']
      return [name, name.endsWith('-shm') ? 'an index' : hash('sha256', readFileSync(path))]
    }),
  )
}

async function explainAll(file: string, ...requests: string[][]): Promise<Explanation[]> {
  const loaded = loadGateway(file)
  assert.ok(loaded.ok)
  const explainer = await openExplainer(loaded.gateway)
  try {
    const explained: Explanation[] = []
    for (const lines of requests)
      explained.push(
        await explainer.explain(Buffer.from(['GET /r HTTP/1.1', 'Host: a', ...lines, '', ''].join('\r\n')), '127.0.0.1'),
      )
    return explained
  } finally {
    await explainer.close()
  }
}

describe('nothing is written', () => {
  test('where nothing is there yet: no database, no key of the development issuer', async (t) => {
    const { folder, file } = folderFor(t)
    const before = everything(folder)
    const [explanation] = await explainAll(file, ['X-API-Key: pgk_dev_AAAAAAAAAAAAAAAA_x'], [])
    assert.deepEqual(everything(folder), before)
    assert.equal(existsSync(join(folder, 'data')), false)
    const notes = explanation?.notes.join('\n') ?? ''
    assert.match(notes, /There is no database at .*planegate\.db: no API key is known, and nothing is revoked\./)
    assert.match(notes, /The development issuer has no key yet/)
  })

  test('beside a database that nobody has open', async (t) => {
    const { folder, file } = folderFor(t)
    const { key, issuer } = await presentable(file)
    const before = everything(folder)
    const token = issuer.sign({ sub: 'alice', plane: 'human', sid: 'gone' })
    const codes = (await explainAll(file, [`X-API-Key: ${key}`], [`Authorization: Bearer ${token}`])).map(({ reason }) => reason)
    assert.deepEqual(codes, [null, 'session-revoked'])
    assert.deepEqual(everything(folder), before)
  })

  test('beside a database that was left behind with its log, which is read from a copy', async (t) => {
    const { folder, file } = folderFor(t)
    const database = join(folder, 'data', 'planegate.db')
    const temporary = join(folder, 'tmp')
    mkdirSync(temporary)
    const { key } = await presentable(file)
    // What was written last is in the log only, as after a crash.
    const writer = await connectDatabase(`sqlite:${database}`)
    await writer.kysely.updateTable('api_keys').set({ revoked_at: 1_000 }).execute()
    for (const name of ['planegate.db', 'planegate.db-wal']) copyFileSync(join(folder, 'data', name), join(temporary, name))
    await writer.close()
    for (const name of readdirSync(join(folder, 'data'))) if (name.startsWith('planegate.db')) rmSync(join(folder, 'data', name))
    for (const name of readdirSync(temporary)) renameSync(join(temporary, name), join(folder, 'data', name))
    const before = everything(folder)
    assert.deepEqual([`${database}-wal`, `${database}-shm`].map(existsSync), [true, false])
    const { TMPDIR } = process.env
    process.env.TMPDIR = temporary
    t.after(() => {
      if (TMPDIR === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = TMPDIR
    })
    const [explanation] = await explainAll(file, [`X-API-Key: ${key}`])
    assert.equal(explanation?.reason, 'revoked')
    assert.deepEqual(everything(folder), before)
    writeFileSync(database, 'not a database at all'.repeat(100))
    await assert.rejects(explainAll(file, []), /cannot (?:read|open) the database .*planegate\.db/)
    assert.deepEqual(readdirSync(temporary), [])
  })

  test('beside a gateway that runs, whose changes are seen and whose limits are not taken from', async (t) => {
    const limits = 'limits: [{ name: l, key: ip, rate: 2/h, burst: 2 }]\n'
    const files = gatewayFolder(CONFIG + limits, { r: ROUTES })
    const gateway = await startGateway(files)
    t.after(() => gateway.stop())
    const { key } = await presentable(files.file)
    const before = everything(files.folder)
    const verdicts = await explainAll(files.file, ...Array.from({ length: 5 }, () => [`X-API-Key: ${key}`]))
    assert.deepEqual(
      verdicts.map(({ decision }) => decision),
      ['allow', 'allow', 'allow', 'allow', 'allow'],
    )
    assert.deepEqual(everything(files.folder), before)
    const answer = await sendRaw(gateway.port, 'GET /.well-known/jwks.json HTTP/1.1\r\nHost: a\r\n\r\n')
    assert.equal(answer.headers.ratelimit?.startsWith('"l";r=1;'), true, answer.text)
  })

  test('into a database of an older version, which counts as empty where it has no tables', async (t) => {
    const { folder, file } = folderFor(t)
    const { key, issuer } = await presentable(file)
    const db = await connectDatabase(`sqlite:${join(folder, 'data', 'planegate.db')}`)
    await migrateDown(db.kysely, Object.keys((await import('../../src/stores/sql/migrations.ts')).MIGRATIONS).length - 1)
    await db.close()
    const before = everything(folder)
    const token = issuer.sign({ sub: 'alice', plane: 'human', sid: 'gone' })
    const explained = await explainAll(file, [`X-API-Key: ${key}`], [`Authorization: Bearer ${token}`])
    assert.deepEqual(
      explained.map(({ decision }) => decision),
      ['allow', 'allow'],
    )
    assert.match(explained[0]?.notes.join() ?? '', /has no table revocations yet/)
    assert.deepEqual(everything(folder), before)
  })
})

describe('what cannot be read', () => {
  test('a file that is no database is said to be none', async (t) => {
    const { folder, file } = folderFor(t)
    await presentable(file)
    writeFileSync(join(folder, 'data', 'planegate.db'), 'not a database at all'.repeat(100))
    await assert.rejects(explainAll(file, []), /cannot read the database .*planegate\.db/)
  })

  test('an identity key that is not there is stood in for', async (t) => {
    const { folder, file } = folderFor(t)
    const { key } = await presentable(file)
    rmSync(join(folder, 'keys', 'identity.pem'))
    const [explanation] = await explainAll(file, [`X-API-Key: ${key}`])
    assert.equal(explanation?.decision, 'allow')
    assert.match(explanation?.notes.join() ?? '', /stands in for the identity key: identity key .* does not exist/)
  })

  test('keys of an issuer are fetched, once, and an issuer that fails is no fault of the token', async (t) => {
    let asked = 0
    const server = createServer((_request, response) => {
      asked += 1
      response.writeHead(500).end()
    })
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
    t.after(() => server.close())
    const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    const provider = `providers: [{ name: p, plane: HUMAN, issuer: '${origin}', audiences: [a], algorithms: [RS256], jwks: { url: '${origin}/jwks' } }]\n`
    const { file } = folderFor(t, CONFIG + provider)
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const token = `${part({ alg: 'RS256', typ: 'JWT', kid: 'k' })}.${part({ iss: origin })}.c2ln`
    const [first] = await explainAll(file, [`Authorization: Bearer ${token}`], [`Authorization: Bearer ${token}`])
    assert.equal(asked, 1)
    assert.equal(first?.code, 'keys-unavailable')
    assert.equal(first?.status, 503)
    const verify = first?.steps.find(({ stage }) => stage === 'verify')
    assert.match(`${verify?.says} ${verify?.rule}`, /it cannot be told \(keys-.*the provider p takes.*gateway\.yaml:\d+/)
  })
})
