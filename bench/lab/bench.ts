import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Cores, chooseCores, pinned } from './cores.ts'

/** Milliseconds that a process has to get ready; reading a million revocations is part of it. */
const READY_WITHIN = 180_000
/** Milliseconds from being asked to end until being made to. */
const END_WITHIN = 10_000
/** Characters of output that are kept. */
const OUTPUT_KEPT = 20_000

/** How to start a process, and how to see that it is ready. */
export interface StartOptions {
  readonly on: 'contestant core' | 'other cores'
  readonly ready: { readonly port: number } | { readonly line: RegExp }
  readonly env?: Readonly<Record<string, string>>
  /** Before the command: what else to run it under. */
  readonly under?: readonly string[]
  /** With a channel for messages; only for programs of Node that have something to say through it. */
  readonly messages?: boolean
}

/** A process that this program started. */
export interface Started {
  readonly pid: number
  readonly child: ChildProcess
  output(): string
  stop(): Promise<void>
}

/** Where a run takes place: a folder of its own, the cores, and everything that was started. `close` ends and removes it all. */
export class Bench {
  readonly cores: Cores = chooseCores()
  readonly folder = mkdtempSync(join(tmpdir(), 'planegate-bench-'))
  readonly #running = new Set<Started>()

  async start(argv: readonly string[], { on, ready, env = {}, under = [], messages = false }: StartOptions): Promise<Started> {
    const cores = on === 'contestant core' ? [this.cores.contestant] : this.cores.others
    const [file = '', ...rest] = pinned(cores, [...under, ...argv])
    const child = spawn(file, rest, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe', ...(messages ? (['ipc'] as const) : [])],
    })
    const started = this.#follow(child)
    // Not all of its arguments: a token may be among them.
    await readiness(child, started, ready, argv.slice(0, 3).join(' '))
    return started
  }

  #follow(child: ChildProcess): Started {
    let text = ''
    const keep = (chunk: Buffer) => {
      text = (text + String(chunk)).slice(-OUTPUT_KEPT)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('error', (error) => keep(Buffer.from(String(error))))
    const started: Started = {
      pid: child.pid ?? 0,
      child,
      output: () => text,
      stop: async () => {
        await end(child)
        this.#running.delete(started)
      },
    }
    this.#running.add(started)
    return started
  }

  async close(): Promise<void> {
    for (const started of [...this.#running].reverse()) await started.stop()
    rmSync(this.folder, { recursive: true, force: true })
  }
}

/** Sends a message to a process that was started with `messages`, and gives what it answers. Rejects when it ends instead. */
export function ask<Answer>({ child, output }: Started, message: NodeJS.Dict<unknown> | string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const ended = () => reject(new Error(`a process ended that was asked something:\n${output()}`))
    if (!child.connected) return ended()
    child.once('disconnect', ended)
    child.once('message', (answer) => {
      child.off('disconnect', ended)
      resolve(answer as Answer)
    })
    child.send(message)
  })
}

/** A port that nobody listens on at the moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0))
    })
  })
}

async function readiness(child: ChildProcess, started: Started, ready: StartOptions['ready'], name: string): Promise<void> {
  for (const deadline = performance.now() + READY_WITHIN; performance.now() < deadline; ) {
    if (child.exitCode !== null || child.signalCode !== null || started.pid === 0) break
    if ('line' in ready ? ready.line.test(started.output()) : await accepts(ready.port)) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await started.stop()
  throw new Error(`${name} did not start:\n${started.output()}`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('connect', () => socket.destroy())
  })
}

async function end(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGTERM')
  const overdue = setTimeout(() => child.kill('SIGKILL'), END_WITHIN)
  await gone
  clearTimeout(overdue)
}
