import assert from 'node:assert/strict'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { UsageError } from '../../src/cli/arguments.ts'
import { check } from '../../src/cli/check.ts'
import { folderOf, GATEWAY, ROUTES, routes } from '../config/written-configuration.ts'
import { recordedIo } from './recorded-io.ts'

const EXAMPLE = resolve(import.meta.dirname, '../../config/gateway.yaml')

async function run(gateway: string, routesFile: string, ...argv: string[]) {
  const folder = folderOf({ 'gateway.yaml': gateway, 'routes/main.yaml': routesFile })
  const io = recordedIo()
  const code = await check(['--config', join(folder, 'gateway.yaml'), ...argv], io)
  return { code, ...io.written, folder }
}

describe('planegate check', () => {
  it('accepts the working example, strictly', async () => {
    const io = recordedIo()
    assert.equal(await check(['--strict', '--config', EXAMPLE], io), 0, io.written.out)
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
      ['path: /8, plane: MACHINE_ONLY, require: { actors: [agent] }', '', ['machine JWT']],
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
