import { join } from 'node:path'
import type { Bench } from '../lab/bench.ts'
import type { Contestant } from './contestant.ts'
import { seed } from './planegate-data.ts'
import { type PlanegateSettings, writeConfiguration } from './planegate-files.ts'
import type { Issuer } from './tokens.ts'

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'main.ts')

export interface PlanegateOptions extends PlanegateSettings {
  readonly name?: string
  /** Rows that are in the database before the start. */
  readonly revocations?: number
  /** How many API keys there are. */
  readonly apiKeys?: number
  /** Also answers to messages about its own heap; see `probes/measured-gateway.ts`. */
  readonly program?: string
}

export interface Planegate extends Contestant {
  /** The admin listener. */
  readonly admin: string
  readonly issuer: Issuer
  /** As many as were asked for. */
  readonly keys: readonly string[]
}

/** planegate by its command line, with everything that it does for a request switched on. */
export async function startPlanegate(bench: Bench, options: PlanegateOptions): Promise<Planegate> {
  const { issuer, name = `planegate ${issuer.algorithm}`, revocations = 10, apiKeys = 10, program } = options
  const files = writeConfiguration(bench.folder, options)
  const keys = await seed(files.database, { revocations, apiKeys })
  const node = program === undefined ? [] : ['--expose-gc']
  const argv = [process.execPath, ...node, program ?? MAIN, 'serve', '--config', files.config]
  const ready = /accepts requests on (http:\/\/\S+) \(admin on (http:\/\/[^)]+)\)/
  const started = await bench.start(argv, {
    on: 'contestant core',
    ready: { line: ready },
    env: { NODE_ENV: 'production', PLANEGATE_LOG_LEVEL: 'warn' },
    under: ['prlimit', '--nofile=20000:20000'],
    messages: program !== undefined,
  })
  const [, url = '', admin = ''] = ready.exec(started.output()) ?? []
  return { name, url, admin, process: started, issuer, identity: 'assertion', keys }
}

/** One counter of its metrics: the sum over all series whose labels contain `labels`. */
export async function counted({ admin }: Planegate, name: string, labels = ''): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  const lines = text.split('\n').filter((line) => line.startsWith(`planegate_${name}{`) && line.includes(labels))
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
