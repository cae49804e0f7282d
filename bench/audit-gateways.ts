import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent, createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { loadGateway } from '../src/config/load.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../src/tokens/development-issuer.ts'
import { BASICS, gatewayFolder } from '../test/support/gateway.ts'

const CONNECTIONS = 16
/** Requests before the first that count, for the compiler. */
const WARM = 10_000
const ROUTES = 'plane: HUMAN_ONLY\nupstream: app\nroutes:\n  - { id: things, path: /things, require: any }\n'
const KEY = 'key: { file: ./keys/audit.pem }'

/** How the contestants differ. */
const CONTESTANTS = [
  { name: 'allowed requests not recorded', audit: `${KEY}, success: false`, records: false, signs: true },
  { name: 'recorded, not signed', audit: 'success: true', records: true, signs: false },
  { name: 'recorded and signed', audit: `${KEY}, success: true`, records: true, signs: true },
  {
    name: 'recorded, signed every 100 lines',
    audit: `${KEY}, success: true, checkpoint: { every: 100 }`,
    records: true,
    signs: true,
  },
] as const

/** CPU microseconds per request, one figure for each round. */
export interface Measured {
  readonly name: string
  readonly microseconds: readonly number[]
}

/** Every gateway is measured once in every round, so that what else happens on the machine happens to all of them. */
export async function auditedGateways(rounds: number, requests: number): Promise<Measured[]> {
  const upstream = await staticUpstream()
  const gateways: Contestant[] = []
  try {
    for (const contestant of CONTESTANTS) gateways.push(await Contestant.start(contestant, upstream))
    for (const gateway of gateways) await gateway.prove(requests)
    for (const gateway of gateways) for (let warm = 0; warm < WARM; warm += requests) await gateway.measure(requests)
    const measured = gateways.map(({ name }) => ({ name, microseconds: [] as number[] }))
    for (let round = 0; round < rounds; round += 1) {
      for (let turn = 0; turn < gateways.length; turn += 1) {
        // Whoever comes first in one round comes last in the next.
        const index = (round + turn) % gateways.length
        measured[index]?.microseconds.push((await gateways[index]?.measure(requests)) ?? Number.NaN)
      }
    }
    return measured
  } finally {
    for (const gateway of gateways) await gateway.stop()
    upstream.close()
    upstream.closeAllConnections()
  }
}

async function staticUpstream(): Promise<Server> {
  const server = createServer((_request, response) => response.end('{"ok":true}'))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

class Contestant {
  readonly name: string
  readonly #expected: { readonly records: boolean; readonly signs: boolean }
  readonly #folder: string
  readonly #child: ChildProcess
  readonly #url: string
  readonly #token: string
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })

  private constructor(
    { name, ...expected }: (typeof CONTESTANTS)[number],
    folder: string,
    child: ChildProcess,
    url: string,
    token: string,
  ) {
    this.name = name
    this.#expected = expected
    this.#folder = folder
    this.#child = child
    this.#url = url
    this.#token = token
  }

  static async start(contestant: (typeof CONTESTANTS)[number], upstream: Server): Promise<Contestant> {
    const origin = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`
    const basics = BASICS.replace(/^audit: .*\n/m, `audit: { directory: ./data/audit, ${contestant.audit} }\n`)
    const { folder, file } = gatewayFolder(`${basics}upstreams: { app: { targets: ['${origin}'] } }\n`, { all: ROUTES })
    const loaded = loadGateway(file)
    assert.ok(loaded.ok, JSON.stringify(loaded))
    const token = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway)).sign({
      sub: 'alice',
      sid: 's-1',
      plane: 'human',
    })
    const main = join(import.meta.dirname, '..', 'src', 'main.ts')
    const child = spawn(process.execPath, [main, 'serve', '--config', file], { stdio: ['ignore', 'pipe', 'inherit'] })
    for await (const chunk of child.stdout.setEncoding('utf8').iterator({ destroyOnReturn: false })) {
      const [, url] = /accepts requests on (\S+)/.exec(String(chunk)) ?? []
      if (url !== undefined) {
        child.stdout.resume()
        return new Contestant(contestant, folder, child, url, token)
      }
    }
    throw new Error('the gateway did not start')
  }

  /** That it does what its name says, before anything is measured. It is warm then. */
  async prove(requests: number): Promise<void> {
    await this.#load(requests)
    const { records, signs } = this.#expected
    const expected = records ? requests : 0
    for (const deadline = performance.now() + 5_000; this.#allowed() !== expected && performance.now() < deadline; )
      await delay(10)
    assert.equal(this.#allowed(), expected, `${this.name}: records of allowed requests`)
    assert.equal(existsSync(join(this.#directory, 'audit.checkpoints')), signs, `${this.name}: checkpoints`)
  }

  /** CPU microseconds per request, with everything that the process does meanwhile and because of it. */
  async measure(requests: number): Promise<number> {
    const before = cpuNanoseconds(this.#child.pid)
    await this.#load(requests)
    // What is still to be written belongs to these requests too.
    await delay(300)
    return (cpuNanoseconds(this.#child.pid) - before) / 1000 / requests
  }

  async stop(): Promise<void> {
    this.#agent.destroy()
    const ended = once(this.#child, 'exit')
    this.#child.kill('SIGTERM')
    const [code] = await ended
    rmSync(this.#folder, { recursive: true, force: true })
    assert.equal(code, 0, `${this.name}: exit code`)
  }

  get #directory(): string {
    return join(this.#folder, 'data', 'audit')
  }

  #allowed(): number {
    const segments = readdirSync(this.#directory).filter((file) => file.endsWith('.jsonl'))
    const texts = segments.map((file) => readFileSync(join(this.#directory, file), 'utf8'))
    return texts.reduce((sum, text) => sum + text.split('"decision":"allow"').length - 1, 0)
  }

  async #load(requests: number): Promise<void> {
    let left = requests
    const client = async () => {
      while (left > 0) {
        left -= 1
        assert.equal(await this.#ask(), 200)
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, client))
  }

  #ask(): Promise<number> {
    return new Promise((resolve, reject) => {
      const options = { agent: this.#agent, headers: { authorization: `Bearer ${this.#token}` } }
      const outgoing = request(`${this.#url}/things`, options, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0))
      })
      outgoing.on('error', reject).end()
    })
  }
}

/** Time that the threads of a process were on a processor. None of those measured here ends meanwhile. */
function cpuNanoseconds(pid: number | undefined): number {
  const tasks = `/proc/${pid}/task`
  const onProcessor = (task: string) => Number(readFileSync(join(tasks, task, 'schedstat'), 'utf8').split(' ')[0])
  return readdirSync(tasks).reduce((sum, task) => sum + onProcessor(task), 0)
}
