import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { after } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { BASICS, gatewayFolder } from '../support/gateway.ts'

export const ROOT = join(import.meta.dirname, '..', '..')
const MAIN = join(ROOT, 'src', 'main.ts')
/** Milliseconds for anything to happen; far above what it takes, because the machine may be busy. */
const DEADLINE = 20_000

/** What something that was started ends with: a test, or a whole file. */
export interface Lifetime {
  after(end: () => unknown): void
}

/** The lifetime of a file's tests. Call it at the top level: a hook that is added within a hook runs at once. */
export function fileLifetime(): Lifetime {
  const ends: (() => unknown)[] = []
  after(async () => {
    for (const end of ends) await end()
  })
  return { after: (end) => ends.unshift(end) }
}

interface Started {
  /** It starts processes of its own: it is in a process group with them and gets the time to end them. */
  readonly startsOthers?: boolean
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** A process of its own, ended at the end of the test at the latest. */
export class Program {
  stdout = ''
  stderr = ''
  /** When it has ended and everything that it wrote was read. */
  readonly ended: Promise<Ended>
  readonly child: ChildProcess

  constructor(
    test: Lifetime,
    file: string,
    argv: readonly string[],
    { cwd = ROOT, env = {}, startsOthers = false }: Started = {},
  ) {
    this.child = spawn(file, argv, {
      cwd,
      env: { ...plainEnvironment(), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: startsOthers,
    })
    this.child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.stdout += text
    })
    this.child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.stderr += text
    })
    this.ended = once(this.child, 'close').then(([code, signal]) => ({
      code,
      signal,
      stdout: this.stdout,
      stderr: this.stderr,
    }))
    test.after(() => this.#finish(startsOthers))
  }

  async #finish(gently: boolean): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit')
      this.child.kill(gently ? 'SIGTERM' : 'SIGKILL')
      if (gently && (await Promise.race([gone, delay(3_000, null)])) === null) this.child.kill('SIGKILL')
      await gone
    }
    if (gently) endGroup(this.child)
    // Whoever still holds its output is not waited for.
    this.child.stdout?.destroy()
    this.child.stderr?.destroy()
  }

  kill(signal: NodeJS.Signals): void {
    assert.ok(this.child.kill(signal), 'the process had ended already')
  }

  /** Its end, or a failure that shows what it wrote. */
  async end(milliseconds = DEADLINE): Promise<Ended> {
    const ended = await Promise.race([this.ended, delay(milliseconds, null, { ref: false })])
    assert.ok(ended !== null, `it runs on after ${milliseconds} ms:\n${this.stdout}${this.stderr}`)
    return ended
  }

  /** Waits until its standard output matches. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`the output matches ${pattern}`, () => {
      const found = pattern.exec(this.stdout)
      if (found === null && this.child.exitCode !== null) {
        assert.fail(`it ended with ${this.child.exitCode} before its output matched ${pattern}:\n${this.stdout}${this.stderr}`)
      }
      return found
    })
  }
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch (error) {
    // Nobody is left in it.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/**
 * This process's environment without what would change planegate's behaviour or measure it. With a compile cache a start costs half: this folder starts
 * it more than a hundred times.
 */
function plainEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(?:PLANEGATE_|NODE_V8_COVERAGE|NODE_TEST_CONTEXT)/.test(name))
  return { NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'compiled'), ...Object.fromEntries(kept) }
}

export function planegate(test: Lifetime, argv: readonly string[], options: Started = {}): Program {
  return new Program(test, process.execPath, [MAIN, ...argv], options)
}

/** Runs a verb to its end. */
export function run(test: Lifetime, argv: readonly string[], options: Started = {}): Promise<Ended> {
  return planegate(test, argv, options).end()
}

/** Runs a verb that must succeed, and gives what it printed. */
export async function printed(test: Lifetime, argv: readonly string[], options: Started = {}): Promise<string> {
  const { code, stdout, stderr } = await run(test, argv, options)
  assert.equal(code, 0, `planegate ${argv.join(' ')}: ${stderr}${stdout}`)
  return stdout.trim()
}

/** A gateway in a process of its own. */
export interface Serving {
  readonly program: Program
  readonly url: string
  readonly port: number
  readonly admin: string
  readonly adminPort: number
}

const READY = /^planegate accepts requests on http:\/\/127\.0\.0\.1:(\d+) \(admin on http:\/\/127\.0\.0\.1:(\d+)\)$/m

/** Starts `serve` and waits for the line that it prints. */
export function serving(test: Lifetime, file: string, options: Started = {}): Promise<Serving> {
  return servingAt(planegate(test, ['serve', '--config', file], options))
}

/** Where a gateway serves that is starting. */
export async function servingAt(program: Program): Promise<Serving> {
  const [, port, adminPort] = await program.says(READY)
  const [url, admin] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${adminPort}`]
  return { program, url, port: Number(port), admin, adminPort: Number(adminPort) }
}

/** The files of a gateway, removed at the end of the test. `config` is added to what every gateway needs. */
export function filesOf(
  test: Lifetime,
  config: string,
  routes: string,
  basics: string = BASICS,
): { folder: string; file: string } {
  const files = gatewayFolder(`${basics}${config}`, { all: routes })
  test.after(() => rmSync(files.folder, { recursive: true, force: true }))
  return files
}

/** Asks again and again until there is an answer other than null, false or undefined. */
export async function until<T>(
  what: string,
  probe: () => T | Promise<T>,
  milliseconds = DEADLINE,
): Promise<Exclude<T, false | null | undefined>> {
  for (const deadline = performance.now() + milliseconds; performance.now() < deadline; await delay(10)) {
    const found = await probe()
    if (found) return found as Exclude<T, false | null | undefined>
  }
  assert.fail(`not within ${milliseconds} ms: ${what}`)
}

export interface AuditRecord {
  readonly seq: number
  readonly prev: string
  readonly requestId?: string
  readonly [field: string]: unknown
}

/** The audit log on disk, oldest first, as the lines that it consists of. */
export function auditLines(folder: string): string[] {
  const directory = join(folder, 'data', 'audit')
  if (!existsSync(directory)) return []
  return readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .flatMap((name) => readFileSync(join(directory, name), 'utf8').split('\n').slice(0, -1))
}

export function auditRecords(folder: string): AuditRecord[] {
  const records = auditLines(folder).map((line) => JSON.parse(line) as AuditRecord)
  return records.filter(({ event }) => !OWN_EVENTS.has(String(event)))
}

/** Lines in which the log speaks of its own files, and of those of the configuration. */
const OWN_EVENTS = new Set(['segment', 'configuration', 'checkpoint', 'compressed', 'closed'])

/** The lines of a log, without the one that is no JSON. */
export function logLines(stdout: string): { level: string; msg: string; [field: string]: unknown }[] {
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line))
}

/** Whether nothing listens on the port. */
export async function isRefused(port: number): Promise<boolean> {
  const answer = await fetch(`http://127.0.0.1:${port}/`).catch((error: unknown) => error)
  return answer instanceof Error && (answer.cause as { code?: string } | undefined)?.code === 'ECONNREFUSED'
}
