import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Contestant } from '../contestants/contestant.ts'
import { ask, freePort, type Started } from '../lab/bench.ts'
import { compare, type Entrant } from '../lab/rounds.ts'
import { type Field, type Other, startField } from './field.ts'
import { cpuRatios, type Lab, ratioTable, seriesTable } from './scenario.ts'

const SERVER = join(import.meta.dirname, '..', 'contestants', 'stream-server.ts')
const CLIENT = join(import.meta.dirname, '..', 'load', 'stream-client.ts')
/** Events per second of each stream. */
const PACE = 20

interface Kind {
  readonly name: 'events' | 'websocket'
  readonly count: number
  readonly others: readonly Other[]
}

/** 100 event streams, fewer than any contestant has connections to its upstream, at 20 events a second each: CPU for each event that is passed on. */
export function events(lab: Lab): Promise<void> {
  return streamed(lab, { name: 'events', count: 100, others: ['haproxy', 'plugin', 'hand-made'] })
}

/** 50 WebSockets with one message under way on each: messages that came back. The hand-made proxy knows no WebSocket. */
export function websocket(lab: Lab): Promise<void> {
  return streamed(lab, { name: 'websocket', count: 50, others: ['haproxy', 'plugin'] })
}

async function streamed(lab: Lab, kind: Kind): Promise<void> {
  const port = await freePort()
  const argv = [process.execPath, SERVER, String(port), String(PACE)]
  const server = await lab.bench.start(argv, { on: 'other cores', ready: { port } })
  const field = await startField(lab, { others: kind.others, upstream: `127.0.0.1:${port}` })
  for (const contestant of field.all) await proveRefusal(contestant)
  const series = await compare(
    field.all.map((contestant) => entrant(lab, contestant, field, kind)),
    lab,
  )
  const unit = kind.name === 'events' ? 'event' : 'message'
  lab.print(seriesTable(series, unit))
  const rest = series.slice(1).map(({ name }) => [name, null] as const)
  lab.print(ratioTable(cpuRatios(series, field.planegate.name, Object.fromEntries(rest))))
  await field.stop()
  await server.stop()
}

/** The upstream has no echo; that a stream is opened with a token is seen by the client, that none is without one, here. */
async function proveRefusal({ name, url, issuer }: Contestant): Promise<void> {
  if (issuer === null) return
  const { status } = await fetch(`${url}/things/events`)
  if (status !== 401) throw new Error(`${name} opens a stream without a token: ${status}`)
}

/** The streams are opened before a round and closed after it, so that opening them costs nothing there. */
function entrant({ bench }: Lab, { name, url, process: proxy }: Contestant, { token }: Field, kind: Kind): Entrant {
  const argv = [process.execPath, CLIENT, kind.name, new URL(url).port, token, String(kind.count)]
  let client: Started | undefined
  return {
    name,
    process: proxy,
    async run(seconds) {
      if (client === undefined) throw new Error('there are no streams')
      const { seen: before } = await standing(client)
      const began = performance.now()
      await delay(seconds * 1000)
      const { seen, lost } = await standing(client)
      if (lost > 0) throw new Error(`${name} lost ${lost} of ${kind.count} streams`)
      return { requests: seen - before, perSecond: (seen - before) / ((performance.now() - began) / 1000) }
    },
    steady: {
      async open() {
        client = await bench.start(argv, { on: 'other cores', ready: { line: /^open$/m }, messages: true })
      },
      close: async () => client?.stop(),
    },
  }
}

function standing(client: Started): Promise<{ seen: number; lost: number }> {
  return ask(client, 'how many')
}
