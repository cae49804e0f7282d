import { startHaproxy } from '../contestants/haproxy.ts'
import { startPlanegate } from '../contestants/planegate.ts'
import { proveLimit } from '../lab/proof.ts'
import { compare } from '../lab/rounds.ts'
import { authorization, type Field, startField, underWrk } from './field.ts'
import { cpuRatios, type Lab, ratioTable, seriesTable } from './scenario.ts'

/** Requests that the instance may let through which is only started to be seen limiting. */
const SMALL_ALLOWANCE = 5

/** One token over and over: CPU per request of everybody. */
export async function warm(lab: Lab): Promise<void> {
  const fields = [
    await startField(lab, { algorithm: 'RS256', others: ['haproxy', 'plugin', 'hand-made'] }),
    await startField(lab, { algorithm: 'ES256', others: ['haproxy'] }),
  ]
  for (const field of fields) await proveLimits(lab, field)
  lab.say('everybody lets a good token through; who verifies refuses the bad ones, and limits')
  const entrants = fields.flatMap(({ all, token }) =>
    all.map((contestant) => underWrk(lab, contestant, '/things/1', { headers: authorization(token) })),
  )
  const series = await compare(entrants, lab)
  lab.print(seriesTable(series))
  lab.print(
    ratioTable([
      ...cpuRatios(series, 'planegate RS256', {
        'bare @fastify/http-proxy': { kind: 'below', value: 1 },
        'HAProxy RS256': { kind: 'at most', value: 1, aim: 0.85 },
        'hand-made undici.dispatch': { kind: 'at most', value: 1.35 },
      }),
      ...cpuRatios(series, 'planegate ES256', { 'HAProxy ES256': { kind: 'at most', value: 0.55 } }),
    ]),
  )
  for (const field of fields) await field.stop()
}

/** With instances of their own, whose allowance is small; those that are measured take from allowances that never run out. */
async function proveLimits({ bench, tools, upstream }: Lab, { issuer, token }: Field): Promise<void> {
  const binary = tools.get('haproxy')
  const settings = { issuer, allowance: SMALL_ALLOWANCE }
  const limited = [await startPlanegate(bench, { ...settings, upstream: upstream.origin })]
  const others =
    binary === undefined ? [] : [await startHaproxy(bench, { ...settings, binary, upstream: `127.0.0.1:${upstream.port}` })]
  for (const contestant of [...limited, ...others]) {
    await proveLimit(contestant, token, SMALL_ALLOWANCE)
    await contestant.process.stop()
  }
}
