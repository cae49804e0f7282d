import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { promisify } from 'node:util'
import { isRefused, Program, ROOT } from './program.ts'

/** `npm start`: every command that it prints does what the line above it promises, also where its usual ports are taken. */

const USUAL_PORTS = [8080, 9090, 3001, 3002]
const HAS_CURL = spawnSync('curl', ['--version']).status === 0

interface Answer {
  readonly status: number
  readonly code: string | null
  readonly body: string
}

/** By the real curl where there is one, through a shell as if it were pasted. */
async function pasted(line: string): Promise<Answer> {
  const { status, body } = HAS_CURL ? await byCurl(line) : await byFetch(line)
  const { code = null } = JSON.parse(body) as { code?: string }
  return { status, code, body }
}

async function byCurl(line: string) {
  const { stdout } = await promisify(execFile)('sh', ['-c', line])
  const end = stdout.indexOf('\r\n\r\n')
  return { status: Number(/^HTTP\/1\.1 (\d{3}) /.exec(stdout)?.[1]), body: stdout.slice(end + 4) }
}

async function byFetch(line: string) {
  const headers = [...line.matchAll(/-H '([^:]+): ([^']*)'/g)].map(([, name = '', value = '']): [string, string] => [name, value])
  const answer = await fetch(/\shttp:\S+$/.exec(line)?.[0] ?? '', { method: /-X (\w+)/.exec(line)?.[1] ?? 'GET', headers })
  return { status: answer.status, body: await answer.text() }
}

/** Takes the ports, so far as nobody has them already. */
async function take(test: TestContext, ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const holder = createServer()
    await new Promise<void>((done) => holder.once('error', () => done()).listen(port, '127.0.0.1', done))
    test.after(() => holder.close())
  }
}

it('the demonstration keeps its promises and leaves nothing behind', async (test) => {
  await take(test, USUAL_PORTS)
  const folder = mkdtempSync(join(tmpdir(), 'planegate-demo-'))
  test.after(() => rmSync(folder, { recursive: true, force: true }))
  const demo = new Program(test, process.execPath, [join(ROOT, 'scripts', 'demo.ts')], {
    env: { PLANEGATE_DEMO_DIR: folder },
    startsOthers: true,
  })
  await demo.says(/^# I5.*\ncurl .*\n/m)
  const lines = demo.stdout.split('\n')
  const promises = lines.flatMap((line, index) =>
    line.startsWith('curl') ? [{ command: line, promise: lines[index - 1] ?? '' }] : [],
  )

  assert.ok(promises.length >= 7, demo.stdout)
  for (const word of ['human', 'machine', 'I1', 'I2', 'I3', 'I4', 'I5'])
    assert.ok(
      promises.some(({ promise }) => promise.includes(word)),
      `nothing shows ${word}`,
    )
  for (const { command, promise } of promises) {
    const [, status, code] = /\((\d{3})(?: ([a-z-]+))?[):]/.exec(promise) ?? assert.fail(`no status is promised: ${promise}`)
    const answer = await pasted(command)
    assert.deepEqual([answer.status, answer.code], [Number(status), code ?? null], `${promise}\n${answer.body}`)
    assert.ok(!command.includes('|'), command)
    const secret = /Bearer (\S+)'|X-API-Key: (\S+)'/.exec(command)
    assert.ok(secret !== null, command)
    assert.ok(!answer.body.includes(secret[1] ?? secret[2] ?? ''), 'the credential came through')
    if (!promise.includes('I5')) continue
    const seen = JSON.parse(answer.body) as { identity: { subject: string }; headers: Record<string, string> }
    assert.equal(seen.identity.subject, 'alice')
    assert.ok(!Object.values(seen.headers).includes('root'), answer.body)
  }

  const used = ports(readFileSync(join(folder, 'gateway.yaml'), 'utf8'))
  assert.equal(used.length, 4)
  for (const port of used) assert.ok(!USUAL_PORTS.includes(port), `${port} was taken`)
  demo.kill('SIGINT')
  const { code, stderr } = await demo.end()
  assert.deepEqual([code, stderr], [0, ''])
  for (const port of used) assert.ok(await isRefused(port), `somebody still listens on ${port}`)
  assert.ok(existsSync(join(folder, 'data', 'planegate.db')), 'its state is where it was told')
})

/** Those of the gateway, its admin listener and its two services. */
function ports(config: string): number[] {
  const written = config.replaceAll(/#.*$/gm, '')
  const found = [...written.matchAll(/\bport: (\d+)|targets: \[http:\/\/127\.0\.0\.1:(\d+)\]/g)]
  return found.map(([, own, target]) => Number(own ?? target))
}
