import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Bench } from '../lab/bench.ts'
import { pinned } from '../lab/cores.ts'

/** What the client is to send, and when. */
export interface ConstantRate {
  readonly port: number
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  /** Requests per second. */
  readonly rate: number
  readonly seconds: number
  /** Seconds before that, at the same rate, which are not counted. */
  readonly warmUp: number
  readonly connections: number
}

/** Milliseconds from when a request was due to the last byte of its answer. */
export interface Latencies {
  readonly failures: number
  readonly requests: number
  /** The rate that was reached; well below the one that was asked for, the client or the contestant could not keep up. */
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
}

const CLIENT = join(import.meta.dirname, 'constant-rate-client.ts')

/**
 * Runs the client on the other cores. Its policy (`SCHED_IDLE`) lets the upstream, which it shares its core with, go first. Throws when
 * an answer was not 200.
 */
export async function runConstantRate(bench: Bench, plan: ConstantRate): Promise<Latencies> {
  const [file = '', ...argv] = pinned(bench.cores.others, ['chrt', '--idle', '0', process.execPath, CLIENT, JSON.stringify(plan)])
  const { stdout } = await promisify(execFile)(file, argv)
  const figures = JSON.parse(stdout) as Latencies
  if (figures.failures > 0) throw new Error(`${figures.failures} requests failed at ${plan.rate} per second`)
  return figures
}
