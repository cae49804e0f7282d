// `npm start`: the gateway with the working example of config/, two small services behind it, and commands to paste.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, relative, resolve } from 'node:path'

const ROOT = join(import.meta.dirname, '..')
/** Where the demonstration keeps its files; `PLANEGATE_DEMO_DIR` names another folder. */
const HOME = resolve(process.env.PLANEGATE_DEMO_DIR || join(ROOT, 'data', 'demo'))
const CONFIG = join(HOME, 'gateway.yaml')
/** The ports that the example names; another one is taken where these are in use. */
const USUAL = { public: 8080, admin: 9090, accounts: 3001, jobs: 3002 }

const ports = await choosePorts()
const gateway = `http://127.0.0.1:${ports.public}`
prepare()
const children: ChildProcess[] = []
let stopping = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(0))

await started(child(['src/main.ts', 'serve', '--config', CONFIG], { PLANEGATE_LOG_LEVEL: 'warn' }))
for (const name of ['accounts', 'jobs'] as const) {
  child(['scripts/demo-upstream.ts'], { PORT: String(ports[name]), GATEWAY: gateway, AUDIENCE: name })
  await reachable(ports[name])
}
process.stdout.write(instructions())

/** Copies the example beside its data, with the ports that are free, and makes the keys that it names. */
function prepare(): void {
  mkdirSync(join(HOME, 'keys'), { recursive: true, mode: 0o700 })
  cpSync(join(ROOT, 'config', 'routes'), join(HOME, 'routes'), { recursive: true })
  const example = readFileSync(join(ROOT, 'config', 'gateway.yaml'), 'utf8').replace(/^# yaml-language-server.*\n/, '')
  const names = Object.keys(USUAL) as (keyof typeof USUAL)[]
  const chosen = new Map(names.map((name) => [String(USUAL[name]), String(ports[name])]))
  // In one pass: a port that was put in may look like another one that is still to be replaced.
  writeFileSync(
    CONFIG,
    example.replace(/\b\d{4}\b/g, (number) => chosen.get(number) ?? number),
  )
  for (const name of ['identity', 'audit']) {
    const file = join(HOME, 'keys', `${name}.pem`)
    if (existsSync(file)) continue
    writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
    chmodSync(file, 0o600)
  }
}

function instructions(): string {
  const human = planegate('dev-token', '--sub', 'alice', '--scopes', 'accounts:read', '--ttl', '8h')
  const service = planegate(
    'dev-token',
    '--sub',
    'reporter',
    '--plane',
    'machine',
    '--scopes',
    'jobs:read,jobs:run',
    '--ttl',
    '8h',
  )
  const { key } = JSON.parse(
    planegate('keys', 'create', '--owner', 'demo', '--scopes', 'jobs:read,jobs:run', '--expires', '1d', '--json'),
  ) as { key: string }
  const jwt = (token: string) => `-H 'Authorization: Bearer ${token}'`
  const apiKey = `-H 'X-API-Key: ${key}'`
  const curl = (...parts: string[]) => `curl -s -i ${parts.join(' ')}`
  const commands: [promise: string, command: string][] = [
    ['a human is let in (200): the service sees who, and no token', curl(jwt(human), `${gateway}/api/v1/accounts/42`)],
    ['a machine is let in (200)', curl(apiKey, `${gateway}/api/v1/jobs`)],
    [
      'I1: a token and a key together are refused (400 credential-ambiguous)',
      curl(jwt(human), apiKey, `${gateway}/api/v1/profile`),
    ],
    ['I2: a key on a human route is refused (403 plane-mismatch)', curl(apiKey, `${gateway}/api/v1/accounts/42`)],
    [
      'I3: a token on a worker path is refused, even a machine’s (403 worker-refuses-jwt)',
      curl('-X POST', jwt(service), `${gateway}/workers/jobs`),
    ],
    ['I4: a key on an admin path is refused (403 admin-refuses-api-key)', curl(apiKey, `${gateway}/admin/users/1`)],
    [
      'I5: an identity that the client wrote is dropped (200: the service sees alice, not root)',
      curl(jwt(human), "-H 'X-Planegate-Assertion: root'", "-H 'x_user_id: root'", `${gateway}/api/v1/accounts/42`),
    ],
  ]
  const blocks = commands.map(([promise, command]) => `# ${promise}\n${command}\n`)
  return `
planegate listens on ${gateway}; metrics and health on http://127.0.0.1:${ports.admin} (/metrics, /livez, /readyz).
Configuration, keys and audit log of this demonstration: ${relative(process.cwd(), HOME)}. Ctrl-C ends it. Paste any of these:

${blocks.join('\n')}
`
}

function planegate(...argv: string[]): string {
  return execFileSync(process.execPath, ['src/main.ts', ...argv, '--config', CONFIG], { cwd: ROOT, encoding: 'utf8' }).trim()
}

function child(args: string[], env: Record<string, string>): ChildProcess {
  const started = spawn(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
    detached: true,
  })
  children.push(started)
  started.once('exit', (code) => void stop(code ?? 1))
  return started
}

/** Waits for the line that the gateway prints when it accepts requests; what it logs after that is shown. */
function started(gatewayProcess: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    gatewayProcess.stdout?.on('data', (chunk: Buffer) => {
      if (chunk.includes('planegate accepts requests')) resolve()
      else process.stdout.write(chunk)
    })
  })
}

async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const answer = await fetch(`http://127.0.0.1:${port}/status`).catch(() => null)
    if (answer !== null) return
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  throw new Error(`the demonstration service on port ${port} did not start`)
}

/** Ends every process that was started here, gateway first so that it can drain. */
async function stop(code: number): Promise<void> {
  if (stopping) return
  stopping = true
  await Promise.all(
    children.map((one) => {
      if (one.exitCode !== null || one.signalCode !== null) return null
      one.kill('SIGTERM')
      return new Promise((resolve) => one.once('exit', resolve))
    }),
  )
  process.exit(code)
}

async function choosePorts(): Promise<typeof USUAL> {
  const chosen = { ...USUAL }
  for (const name of Object.keys(USUAL) as (keyof typeof USUAL)[])
    chosen[name] = (await freePort(USUAL[name])) ?? (await freePort(0)) ?? 0
  return chosen
}

/** The port, if nobody has it; 0 asks for any. */
function freePort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(null))
    probe.listen(port, '127.0.0.1', () => {
      const { port: got } = probe.address() as { port: number }
      probe.close(() => resolve(got))
    })
  })
}
