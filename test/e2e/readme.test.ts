import assert from 'node:assert/strict'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { RecordingUpstream } from '../support/gateway.ts'
import { Program, ROOT } from './program.ts'

/** The commands of README.md, as they stand there, in a folder of their own. */

const README = readFileSync(join(ROOT, 'README.md'), 'utf8')
const COMMANDS = [...README.matchAll(/^npm run -s planegate -- .+$/gm)].map(([line]) => line)

function command(verb: string): string {
  const found = COMMANDS.filter((line) => line.startsWith(`npm run -s planegate -- ${verb} `))
  assert.equal(found.length, 1, `README.md has ${found.length} commands with ${verb}`)
  return found[0] ?? ''
}

/** The program in a folder of its own, so that what the commands write does not land in the checkout. */
function clone(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'planegate-readme-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  cpSync(join(ROOT, 'src'), join(folder, 'src'), { recursive: true })
  const { scripts, ...manifest } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  // Without what runs before it: that installs packages and builds, which has happened here.
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ ...manifest, scripts: { planegate: scripts.planegate } }))
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
  mkdirSync(join(folder, 'work'))
  return folder
}

it('init, check, serve, keys and dev-token work as README.md prints them', async (test) => {
  const folder = clone(test)
  const shell = (line: string) => new Program(test, 'sh', ['-c', `exec ${line}`], { cwd: folder, startsOthers: true })
  const printed = async (line: string) => {
    const { code, stdout, stderr } = await shell(line).end()
    assert.equal(code, 0, `${line}\n${stdout}${stderr}`)
    return stdout
  }
  const upstream = await RecordingUpstream.start()
  test.after(() => upstream.close())

  assert.match(await printed(command('init')), /^wrote my-gateway\/gateway\.yaml$/m)
  assert.match(await printed(command('check')), /no mistakes$/m)

  // Only the ports are changed: those of the example may be in use here, and its upstream does not exist.
  const file = join(folder, 'my-gateway', 'gateway.yaml')
  const text = readFileSync(file, 'utf8')
  const moved = text
    .replace('port: 8080 }', 'port: 0 }')
    .replace('port: 9090', 'port: 0')
    .replace('http://127.0.0.1:3001', upstream.origin)
  assert.equal(moved.split('port: 0').length, 3, 'the example names two ports')
  assert.ok(moved.includes(upstream.origin))
  writeFileSync(file, moved)

  const server = shell(command('serve'))
  const [, url] = await server.says(/^planegate accepts requests on (http:\S+)/m)
  const token = (await printed(command('dev-token').replace(/accounts:read/, 'app:read'))).trim()
  const key = /pgk_\w+/.exec(await printed(command('keys create')))?.[0] ?? ''
  const ask = async (path: string, headers: Record<string, string>, method = 'GET') =>
    (await fetch(`${url}${path}`, { method, headers })).status
  assert.equal(await ask('/api/things', { authorization: `Bearer ${token}` }), 200)
  assert.equal(await ask('/api/things', {}), 401)
  assert.equal(await ask('/workers/jobs', { 'x-api-key': key }, 'POST'), 200)
  assert.equal(await ask('/workers/jobs', { authorization: `Bearer ${token}` }, 'POST'), 403)
  assert.equal(await ask('/status', {}), 200)
  assert.deepEqual(
    upstream.seen.map(({ method, url: path }) => `${method} ${path}`),
    ['GET /api/things', 'POST /workers/jobs', 'GET /status'],
  )
  const header = upstream.seen[0]?.headers['x-planegate-assertion']
  const claims = JSON.parse(Buffer.from(String(header).split('.')[1] ?? '', 'base64url').toString())
  assert.deepEqual([claims.sub, claims.actor, claims.aud], ['alice', 'human', 'app'])

  // Ctrl-C in a terminal reaches all of npm, the shell and the gateway.
  process.kill(-(server.child.pid ?? 0), 'SIGINT')
  const { stdout } = await server.end()
  assert.match(stdout, /"msg":"Stopped\."/)
})
