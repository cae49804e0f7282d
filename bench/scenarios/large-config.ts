import { type Planegate, startPlanegate } from '../contestants/planegate.ts'
import { openIssuer } from '../contestants/tokens.ts'
import { bearer, proveCaller } from '../lab/proof.ts'
import type { Target } from '../lab/report.ts'
import { compare, type Entrant } from '../lab/rounds.ts'
import { holdings } from '../lab/usage.ts'
import { requestScript, type Scripted } from '../load/wrk.ts'
import { authorization, underWrk } from './field.ts'
import { cpuRatios, type Lab, ratioTable, seriesTable } from './scenario.ts'

const SMALL = { routes: 10, revocations: 10, apiKeys: 10 }
const LARGE = { routes: 10_000, revocations: 1_000_000, apiKeys: 100_000 }
const TARGET: Target = { kind: 'at most', value: 1.1 }
/** Different requests that a script sends in turn, spread over all routes and keys. */
const DIFFERENT = 10_000
/** A prime, so that steps of it lead through every place of a list, and neighbours are far apart. */
const STEP = 7_919

/**
 * The same requests to a gateway with much configured and to one with little. Each is asked twice: over all its routes and keys, as many
 * as it has, and over ten of them, which shows what comes from the caches of the processor alone.
 */
export async function largeConfig(lab: Lab): Promise<void> {
  const { bench, upstream } = lab
  const issuer = openIssuer(bench.folder, 'RS256')
  const token = await issuer.token()
  const start = async (name: string, sizes: typeof SMALL) => {
    const began = performance.now()
    const planegate = await startPlanegate(bench, { name, issuer, upstream: upstream.origin, ...sizes })
    const resident = holdings(planegate.process.pid).resident / 1024 / 1024
    lab.say(`${name}: seeded and started in ${((performance.now() - began) / 1000).toFixed(1)} s, ${resident.toFixed(0)} MiB`)
    await proveCaller(planegate, bearer(token))
    return planegate
  }
  const small = await start('small', SMALL)
  const large = await start('large', LARGE)
  const entrants = (planegate: Planegate, sizes: typeof SMALL, kind: string): Entrant[] => {
    const script = (credential: string, requests: Scripted[]) =>
      requestScript(bench, `${kind}-${credential}`.replaceAll(/\W/g, '-'), requests)
    const under = (credential: string, requests: Scripted[]) =>
      underWrk(lab, planegate, '/', { script: script(credential, requests) }, `${kind}, ${credential}`)
    return [
      under('token', byToken(sizes.routes, token)),
      under('API key', byKey(sizes.routes, planegate.keys.slice(0, sizes.apiKeys))),
    ]
  }
  const series = await compare(
    [
      ...entrants(small, SMALL, 'small'),
      ...entrants(large, SMALL, 'large, over ten'),
      ...entrants(large, LARGE, 'large, over all'),
    ],
    lab,
  )
  lab.print(seriesTable(series))
  lab.print(
    ratioTable(
      ['token', 'API key'].flatMap((credential) => [
        ...cpuRatios(series, `large, over ten, ${credential}`, { [`small, ${credential}`]: TARGET }),
        ...cpuRatios(series, `large, over all, ${credential}`, { [`small, ${credential}`]: TARGET }),
      ]),
    ),
  )
  for (const planegate of [small, large]) await planegate.process.stop()
}

/** Routes for people and for machines take turns; see `numberedRoutes`. */
function byToken(routes: number, token: string): Scripted[] {
  const headers = authorization(token)
  return Array.from({ length: DIFFERENT }, (_, index) => ({ path: `/r/${spread(index, routes / 2)}/things/${index}`, headers }))
}

function byKey(routes: number, keys: readonly string[]): Scripted[] {
  return Array.from({ length: DIFFERENT }, (_, index) => ({
    path: `/m/${spread(index, routes / 2)}/things/${index}`,
    headers: { 'X-API-Key': keys[spread(index, keys.length)] ?? '' },
  }))
}

function spread(index: number, count: number): number {
  return (index * STEP) % count
}
