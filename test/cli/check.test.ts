import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { UsageError } from '../../src/cli/arguments.ts'
import { check } from '../../src/cli/check.ts'
import { folderOf, GATEWAY, ROUTES, routes } from '../config/written-configuration.ts'
import { recordedIo } from './recorded-io.ts'

const EXAMPLE = resolve(import.meta.dirname, '../../config')
const PKCS8 = { type: 'pkcs8', format: 'pem' } as const
const PAIR = generateKeyPairSync('ed25519')
const KEY = PAIR.privateKey.export(PKCS8).toString()
const PUBLIC = PAIR.publicKey.export({ type: 'spki', format: 'pem' }).toString()

async function run(gateway: string, routesFile: string, ...argv: string[]) {
  const folder = folderOf({ 'gateway.yaml': gateway, 'routes/main.yaml': routesFile, 'keys/identity.pem': KEY })
  const io = recordedIo()
  const code = await check(['--config', join(folder, 'gateway.yaml'), ...argv], io)
  return { code, ...io.written, folder }
}

describe('planegate check', () => {
  it('accepts the working example, strictly, once its key is made', async () => {
    const io = recordedIo()
    const folder = folderOf({ 'keys/identity.pem': KEY })
    cpSync(join(EXAMPLE, 'gateway.yaml'), join(folder, 'gateway.yaml'))
    cpSync(join(EXAMPLE, 'routes'), join(folder, 'routes'), { recursive: true })
    assert.equal(await check(['--strict', '--config', join(folder, 'gateway.yaml')], io), 0, io.written.out)
    assert.match(
      io.written.out,
      /POST +\/workers\/jobs +any +MACHINE_ONLY +worker +API key +scopes jobs:run and an actor of service/,
    )
    assert.equal(io.written.err, '')
  })

  it('lists mistakes and exits with 1', async () => {
    const { code, out, folder } = await run(GATEWAY, routes('{ id: a, path: /a, plane: PUBLIC }', '{ id: b, path: b }'))
    assert.equal(code, 1)
    const file = join(folder, 'routes/main.yaml')
    assert.equal(
      out,
      `${file}:4:5 routes[0]: is PUBLIC without a reason: add reason: with the words why nobody has to prove who they are\n${file}:5:20 routes[1].path: must start with \`/\`\n2 mistakes\n`,
    )
  })

  it('warns, and with --strict refuses', async () => {
    const vague = routes('{ id: a, path: /a }')
    const lenient = await run(GATEWAY, vague)
    assert.equal(lenient.code, 0)
    assert.match(lenient.out, /Warnings:\n {2}.*main\.yaml:4:5 routes\[0\]: has no require/)
    const strict = await run(GATEWAY, vague, '--strict')
    assert.equal(strict.code, 1)
    assert.match(strict.out, /which --strict refuses/)
  })

  it('warns of keys that are not there and says how to make them', async () => {
    const absent = GATEWAY.replace('keys/identity.pem }', 'keys/none.pem }, previousKeys: [{ file: ./keys/old.pem }]')
    const lenient = await run(absent, ROUTES)
    assert.equal(lenient.code, 0)
    assert.match(lenient.out, /gateway\.yaml:4:26 identity\.key\.file: identity key .*none\.pem does not exist; make one with/)
    assert.match(lenient.out, /identity\.previousKeys\[0\]\.file: identity key .*old\.pem does not exist/)
    assert.equal((await run(absent, ROUTES, '--strict')).code, 0)
  })

  const unusable: [name: string, content: string, sentence: RegExp][] = [
    ['empty', '', /is empty; make one/],
    ['a public key', PUBLIC, /holds no private key/],
    [
      'too short',
      generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey.export(PKCS8).toString(),
      /RSA key of 1024 bits/,
    ],
  ]
  for (const [name, content, sentence] of unusable) {
    it(`lists a key that serve could not use as a mistake: ${name}`, async () => {
      const folder = folderOf({ 'gateway.yaml': GATEWAY, 'routes/main.yaml': ROUTES, 'keys/identity.pem': content })
      const io = recordedIo()
      assert.equal(await check(['--json', '--config', join(folder, 'gateway.yaml')], io), 1)
      const { ok, mistakes } = JSON.parse(io.written.out)
      assert.deepEqual([ok, mistakes.length, mistakes[0].path, mistakes[0].line], [false, 1, 'identity.key.file', 4])
      assert.match(mistakes[0].message, sentence)
    })
  }

  it('shows who gets in, and marks the gaps', async () => {
    const gateway = `${GATEWAY.replace('plane: HUMAN,', 'plane: { claim: gty, human: [pw], machine: [cc] },')}`
    const table: [entry: string, marks: string, admits: string[]][] = [
      ['path: /1, require: any', '', ['human JWT']],
      ['path: /2, plane: BOTH, require: any', '', ['human JWT', 'machine JWT', 'API key']],
      ['path: /3, plane: MACHINE_ONLY, kind: worker, require: any', '', ['API key']],
      ['path: /4, plane: BOTH, kind: admin, require: any', '', ['human JWT', 'machine JWT']],
      ['path: /5, plane: PUBLIC, reason: open data', 'public', ['everybody']],
      ['path: /6, plane: MACHINE_ONLY, require: { actors: [human] }', 'nobody', ['nobody']],
      ['path: /7, plane: MACHINE_ONLY, require: { roles: [admin] }', '', ['machine JWT']],
      ['path: /8, plane: MACHINE_ONLY, require: { actors: [agent] }', 'nobody', ['nobody']],
      ['path: /workers/9, plane: BOTH, require: any', '', ['API key']],
      ['path: /x/workers/9, stripPrefix: /x, plane: BOTH, require: any', '', ['API key']],
      ['path: /admin/a, plane: BOTH, require: any', '', ['human JWT', 'machine JWT']],
      ['path: /b, expires: 9999-01-01', 'temporary,no-require', ['human JWT']],
    ]
    const { code, out } = await run(gateway, routes(...table.map(([entry], index) => `{ id: r${index}, ${entry} }`)), '--json')
    assert.equal(code, 0)
    const report = JSON.parse(out)
    assert.equal(report.ok, true)
    const found = new Map(report.routes.map((route: { id: string }) => [route.id, route]))
    for (const [index, [entry, marks, admits]] of table.entries()) {
      const route = found.get(`r${index}`) as { marks: string[]; admits: string[] }
      assert.deepEqual([route.marks.join(), route.admits], [marks, admits], entry)
    }
    assert.deepEqual(
      report.routes.map((route: { path: string }) => route.path),
      report.routes.map((route: { path: string }) => route.path).toSorted(),
    )
  })

  it('shows which pages may call a route', async () => {
    const entries = routes(
      '{ id: a, path: /a, require: any, cors: { origins: ["https://a.example", "https://b.example"], credentials: true } }',
      '{ id: b, path: /b, plane: PUBLIC, reason: open data, cors: { origins: ["*"] } }',
      '{ id: c, path: /c, require: any }',
    )
    const { out } = await run(GATEWAY, entries)
    assert.match(out, /^ +METHODS.* PAGES OF /m)
    assert.match(out, /\/a .* https:\/\/a\.example,https:\/\/b\.example with cookies +accounts/)
    assert.match(out, /\/b .* any origin +accounts/)
    const { routes: reports } = JSON.parse((await run(GATEWAY, entries, '--json')).out)
    assert.deepEqual([reports[0].cors.origins.length, reports[1].cors.maxAge, reports[2].cors], [2, 600_000, null])
  })

  it('nobody gets in where no provider speaks for the plane', async () => {
    const { out } = await run(GATEWAY.replace(/providers:\n.*\n/, ''), ROUTES)
    assert.match(out, /^0 +GET,HEAD +\/accounts\/\* +any +HUMAN_ONLY +user +nobody/m)
    assert.match(out, /0 {2}open to nobody/)
  })

  it('lists what is less strict than by default', async () => {
    const gateway = `${GATEWAY}revocation: { onUnavailable: allow, reason: far away }\nproviderStatus: { exposure: public }\naudit: { success: false }\n`
    const { code, out } = await run(gateway, ROUTES)
    assert.equal(code, 0)
    assert.match(
      out,
      /Less strict than by default:\n {2}.*gateway\.yaml:13:30 revocation\.onUnavailable: allow \(far away\)\n.*audit\.success: false\n.*providerStatus\.exposure: public\n/,
    )
  })

  it('writes only JSON with --json, for mistakes too', async () => {
    const { code, out, err } = await run(`${GATEWAY}prot: 1\n`, ROUTES, '--json')
    assert.equal(code, 1)
    assert.equal(err, '')
    const report = JSON.parse(out)
    assert.equal(report.ok, false)
    assert.deepEqual([report.mistakes[0].line, report.mistakes[0].column, report.mistakes[0].path], [13, 1, 'prot'])
  })

  for (const argv of [['--stict'], ['surplus'], ['--config']]) {
    it(`does not understand ${argv.join(' ')}`, async () => {
      await assert.rejects(check(argv, recordedIo()), UsageError)
    })
  }

  it('names a configuration that is not there', async () => {
    const io = recordedIo()
    assert.equal(await check(['--config', join(folderOf({}), 'no.yaml')], io), 1)
    assert.match(io.written.out, /no\.yaml:1:1 \(document\): there is no such file\n1 mistake\n$/)
  })
})
