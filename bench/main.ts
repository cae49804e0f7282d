/** The benchmarks: `npm run bench -- [--quick] [--rounds N] [--seconds S] [SCENARIO ...]`. Exits with 1 when a contestant does not do the right thing. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { startUpstream } from './contestants/upstream.ts'
import { Bench } from './lab/bench.ts'
import { pinned } from './lab/cores.ts'
import { findTools, machineText, versionsOf } from './lab/tools.ts'
import type { Lab, Scenario } from './scenarios/scenario.ts'

/** What each measures, and where it is; loaded when it is asked for. */
const SCENARIOS: Readonly<Record<string, { readonly measures: string; readonly load: () => Promise<Scenario> }>> = {
  warm: { measures: 'CPU per request, one token over and over', load: async () => (await import('./scenarios/warm.ts')).warm },
  'first-seen': {
    measures: 'rate where no token is remembered',
    load: async () => (await import('./scenarios/first-seen.ts')).firstSeen,
  },
  latency: {
    measures: 'time added at half of the maximal load',
    load: async () => (await import('./scenarios/latency.ts')).latency,
  },
  'api-keys': { measures: 'CPU per request by API key', load: async () => (await import('./scenarios/rows.ts')).apiKeys },
  'binding-request': {
    measures: 'CPU per request with a Txn-Token for each',
    load: async () => (await import('./scenarios/rows.ts')).bindingRequest,
  },
  'post-10k': {
    measures: 'CPU per request with a body of 10 KB',
    load: async () => (await import('./scenarios/rows.ts')).post10k,
  },
  'download-1m': { measures: 'CPU per download of 1 MB', load: async () => (await import('./scenarios/rows.ts')).download1m },
  'large-config': {
    measures: 'CPU per request with 10,000 routes, 1,000,000 revocations, 100,000 API keys',
    load: async () => (await import('./scenarios/large-config.ts')).largeConfig,
  },
  events: { measures: 'CPU per event of open streams', load: async () => (await import('./scenarios/streams.ts')).events },
  websocket: { measures: 'CPU per WebSocket message', load: async () => (await import('./scenarios/streams.ts')).websocket },
  connections: {
    measures: '10,000 idle connections and 1,000 active ones',
    load: async () => (await import('./scenarios/connections.ts')).connections,
  },
  'session-memory': {
    measures: 'heap for each session that is remembered',
    load: async () => (await import('./scenarios/session-memory.ts')).sessionMemory,
  },
  soak: {
    measures: 'memory and open files over a million requests',
    load: async () => (await import('./scenarios/soak.ts')).soak,
  },
}

/** Needs no upstream and no load, but a process of its own, whose young generation is so large that none is collected within a batch of calls. */
const STAGES = { name: 'stages', measures: 'time and allocations of each stage of a decision' }
const STAGES_NODE = ['--expose-gc', '--min-semi-space-size=256', '--max-semi-space-size=256']

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const asked = positionals.length === 0 ? ['warm'] : positionals
const unknown = asked.filter((name) => name !== STAGES.name && !Object.hasOwn(SCENARIOS, name))
if (values.help || unknown.length > 0) {
  for (const name of unknown) process.stderr.write(`There is no scenario ${name}.\n`)
  process.stderr.write(usage())
  process.exit(unknown.length > 0 ? 2 : 0)
}
const bench = new Bench()
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void bench.close().finally(() => process.exit(1)))
}
try {
  if (asked.includes(STAGES.name)) stages()
  if (asked.some((name) => name !== STAGES.name)) await run()
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
} finally {
  await bench.close()
}

async function run(): Promise<void> {
  const say = (line: string) => process.stderr.write(`${line}\n`)
  const print = (text: string) => process.stdout.write(`\n${text}\n`)
  const tools = findTools(say)
  const [nginx, wrk] = [tools.get('nginx'), tools.get('wrk')]
  if (nginx === undefined || wrk === undefined || !tools.has('taskset')) throw new Error('nginx, wrk and taskset are needed')
  const { contestant, others } = bench.cores
  print(
    [machineText(), ...versionsOf(tools), `contestant on core ${contestant}, load and upstream on ${others.join(', ')}`].join(
      '\n',
    ),
  )
  if (others[0] === contestant) say('There is only one core: load and contestant share it, so rates and latencies say little.')
  const upstream = await startUpstream(bench, nginx)
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 7))
  const seconds = Number(values.seconds ?? (values.quick ? 1 : 3))
  const lab: Lab = { bench, tools, upstream, wrk, quick: values.quick, rounds, seconds, warmUp: values.quick ? 4 : 8, say, print }
  for (const name of asked) {
    const scenario = SCENARIOS[name]
    if (scenario === undefined) continue
    print(`## ${name}: ${scenario.measures} (${rounds} rounds of ${seconds} s)`)
    await (await scenario.load())(lab)
  }
}

function stages(): void {
  process.stdout.write(`\n## ${STAGES.name}: ${STAGES.measures}\n\n`)
  const argv = [process.execPath, ...STAGES_NODE, join(import.meta.dirname, 'stages.ts'), ...(values.quick ? ['--quick'] : [])]
  const [file = '', ...rest] = pinned([bench.cores.contestant], argv)
  if (spawnSync(file, rest, { stdio: 'inherit' }).status !== 0) throw new Error('the stages could not be measured')
}

function usage(): string {
  const all = [...Object.entries(SCENARIOS), [STAGES.name, STAGES] as const]
  const rows = all.map(([name, { measures }]) => `  ${name.padEnd(16)} ${measures}`)
  return `usage: npm run bench -- [--quick] [--rounds N] [--seconds S] [SCENARIO ...]\n\n${rows.join('\n')}\n`
}
