/**
 * Sends requests at a constant rate, whether or not the ones before were answered, and tells how long each took from the moment at which it
 * was due: a contestant that halts for a while is charged with everything that should have been sent meanwhile. Its one argument is a
 * `ConstantRate` as JSON; it prints a `Latencies` as JSON. It never sleeps, because Node's timers are too coarse for tens of
 * microseconds: run it with a scheduling policy that lets everybody else on its core go first.
 */
import { connect, type Socket } from 'node:net'
import { quantile } from '../lab/statistics.ts'
import type { ConstantRate, Latencies } from './constant-rate.ts'

const plan = JSON.parse(process.argv[2] ?? '{}') as ConstantRate
const fields = Object.entries(plan.headers).map(([name, value]) => `${name}: ${value}\r\n`)
const bytes = Buffer.from(`GET ${plan.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${fields.join('')}\r\n`, 'latin1')
const interval = 1000 / plan.rate
const warm = Math.round(plan.warmUp * plan.rate)
const total = warm + Math.round(plan.seconds * plan.rate)
const latencies = new Float64Array(total)
const idle: Connection[] = []
let due = 0
let answered = 0
let failures = 0

/** One connection with one request at a time. */
class Connection {
  readonly #socket: Socket
  #asked = -1
  #received = 0
  #expected = -1
  #head = ''

  constructor(ready: () => void) {
    this.#socket = connect(plan.port, '127.0.0.1', ready).setNoDelay(true)
    this.#socket.on('data', (chunk: Buffer) => this.#took(chunk))
    this.#socket.on('error', failed).on('close', failed)
  }

  ask(index: number): void {
    this.#asked = index
    this.#socket.write(bytes)
  }

  end(): void {
    this.#socket.off('close', failed).destroy()
  }

  #took(chunk: Buffer): void {
    this.#received += chunk.length
    if (this.#expected === -1) {
      this.#head += chunk.toString('latin1')
      const end = this.#head.indexOf('\r\n\r\n')
      if (end === -1) return
      if (!this.#head.startsWith('HTTP/1.1 200')) failures += 1
      this.#expected = end + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(this.#head)?.[1] ?? 0)
    }
    if (this.#received < this.#expected) return
    latencies[this.#asked] = performance.now() - (start + this.#asked * interval)
    this.#received = 0
    this.#expected = -1
    this.#head = ''
    answered += 1
    idle.push(this)
  }
}

const connections = await Promise.all(Array.from({ length: plan.connections }, opened))
idle.push(...connections)
const start = performance.now() + 10
turn()

function opened(): Promise<Connection> {
  return new Promise((resolve) => {
    const connection: Connection = new Connection(() => resolve(connection))
  })
}

function turn(): void {
  const now = performance.now()
  while (due < total && start + due * interval <= now) {
    const connection = idle.pop()
    if (connection === undefined) break
    connection.ask(due)
    due += 1
  }
  if (answered < total && failures === 0) setImmediate(turn)
  else finish()
}

function failed(): void {
  failures += 1
}

function finish(): void {
  for (const connection of connections) connection.end()
  const sorted = latencies.subarray(warm).toSorted()
  const figures: Latencies = {
    failures,
    requests: sorted.length,
    perSecond: (total - 1) / ((performance.now() - start) / 1000),
    p50: quantile(Array.from(sorted), 0.5),
    p99: quantile(Array.from(sorted), 0.99),
  }
  process.stdout.write(`${JSON.stringify(figures)}\n`)
}
