import { spreadText, type Target, table, targetText, verdict } from '../lab/report.ts'
import { rotated, spreadOf } from '../lab/statistics.ts'
import { type Latencies, runConstantRate } from '../load/constant-rate.ts'
import { runWrk } from '../load/wrk.ts'
import { authorization, startField } from './field.ts'
import type { Lab } from './scenario.ts'

/** Milliseconds that planegate may add. */
const TARGETS = { p50: { kind: 'below', value: 0.1 }, p99: { kind: 'below', value: 1 } } satisfies Record<string, Target>
const WARM_UP = 1
/** Enough that none is waited for, while most of them are idle. */
const CONNECTIONS = 64
/** Share of the rate that must be reached. */
const KEPT_UP = 0.95
const UPSTREAM = 'the upstream alone'

/** Half of what planegate manages at most, at a constant rate: what everybody adds to the time that the upstream alone takes. */
export async function latency(lab: Lab): Promise<void> {
  const { bench, wrk, upstream, rounds } = lab
  const field = await startField(lab, { others: ['haproxy', 'plugin', 'hand-made'] })
  const headers = authorization(field.token)
  for (const { url } of field.all) await runWrk(bench, wrk, { url: `${url}/things/1`, headers }, lab.warmUp)
  const { perSecond } = await runWrk(bench, wrk, { url: `${field.planegate.url}/things/1`, headers }, 3)
  const rate = Math.round(perSecond / 2)
  lab.say(`planegate manages ${perSecond.toFixed(0)} requests per second; ${rate} are sent`)

  const places = [{ name: UPSTREAM, url: upstream.origin }, ...field.all]
  const seen = new Map<string, Latencies[]>(places.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, url } of rotated(places, round)) {
      const port = Number(new URL(url).port)
      const plan = { port, path: '/things/1', headers, rate, seconds: lab.seconds, warmUp: WARM_UP, connections: CONNECTIONS }
      const figures = await runConstantRate(bench, plan)
      keptUp(lab, rate, figures)
      seen.get(name)?.push(figures)
    }
    lab.say(`round ${round + 1} of ${rounds}`)
  }
  print(lab, seen)
  await field.stop()
}

/** A client that could not send as it should has measured the machine. */
function keptUp({ quick, say }: Lab, rate: number, { perSecond }: Latencies): void {
  if (perSecond >= rate * KEPT_UP) return
  const what = `${rate} requests per second were wanted and ${perSecond.toFixed(0)} sent: this machine is too busy to say anything of latency`
  if (!quick) throw new Error(what)
  say(what)
}

function print(lab: Lab, seen: ReadonlyMap<string, readonly Latencies[]>): void {
  const alone = seen.get(UPSTREAM) ?? []
  const rows = [...seen].map(([name, figures]) => {
    const added = (of: 'p50' | 'p99') => spreadOf(figures.map((one, round) => one[of] - (alone[round]?.[of] ?? Number.NaN)))
    const cells = (['p50', 'p99'] as const).flatMap((of) => {
      const absolute = spreadText(spreadOf(figures.map((one) => one[of])), 3)
      if (name === UPSTREAM) return [absolute, '']
      const target = TARGETS[of]
      const judged = name.startsWith('planegate') ? `, ${targetText(target)}: ${verdict(added(of).median, target)}` : ''
      return [absolute, `${spreadText(added(of), 3)}${judged}`]
    })
    return [name, ...cells]
  })
  lab.print(table(['milliseconds', 'p50', 'p50 added', 'p99', 'p99 added'], rows))
}
