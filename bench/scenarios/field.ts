import type { Contestant } from '../contestants/contestant.ts'
import { startHaproxy } from '../contestants/haproxy.ts'
import { startHandMade, startPlugin } from '../contestants/plain-proxies.ts'
import { type Planegate, type PlanegateOptions, startPlanegate } from '../contestants/planegate.ts'
import { type Algorithm, type Issuer, openIssuer } from '../contestants/tokens.ts'
import { prove } from '../lab/proof.ts'
import type { Entrant } from '../lab/rounds.ts'
import { type Load, runWrk } from '../load/wrk.ts'
import type { Lab } from './scenario.ts'

/** The contestants of a scenario, each shown to do the right thing. */
export interface Field {
  readonly issuer: Issuer
  readonly token: string
  readonly planegate: Planegate
  /** planegate first, then whoever else takes part and is installed. */
  readonly all: readonly Contestant[]
  stop(): Promise<void>
}

export type Other = 'haproxy' | 'plugin' | 'hand-made'

export interface FieldOptions {
  readonly others: readonly Other[]
  readonly algorithm?: Algorithm
  /** `host:port` of another upstream than the static one. That has no echo, so what passes through is proved by the scenario. */
  readonly upstream?: string
  readonly planegate?: Partial<PlanegateOptions>
}

/** Starts planegate and others for one issuer. */
export async function startField(lab: Lab, options: FieldOptions): Promise<Field> {
  const { bench } = lab
  const { others, algorithm = 'RS256', upstream = `127.0.0.1:${lab.upstream.port}` } = options
  const issuer = openIssuer(bench.folder, algorithm)
  const token = await issuer.token()
  const origin = `http://${upstream}`
  const planegate = await startPlanegate(bench, { issuer, upstream: origin, ...options.planegate })
  const all: Contestant[] = [planegate]
  const binary = lab.tools.get('haproxy')
  if (others.includes('haproxy') && binary !== undefined) all.push(await startHaproxy(bench, { binary, issuer, upstream }))
  if (others.includes('plugin')) all.push(await startPlugin(bench, origin, true))
  if (others.includes('hand-made')) all.push(await startHandMade(bench, origin))
  if (options.upstream === undefined) for (const contestant of all) await prove(contestant, token)
  const stop = async () => {
    for (const contestant of all) await contestant.process.stop()
  }
  return { issuer, token, planegate, all, stop }
}

/** A contestant under wrk. `path` is that of the load's URL. */
export function underWrk(
  lab: Lab,
  contestant: Contestant,
  path: string,
  load: Omit<Load, 'url'>,
  name = contestant.name,
): Entrant {
  return {
    name,
    process: contestant.process,
    run: (seconds) => runWrk(lab.bench, lab.wrk, { url: contestant.url + path, ...load }, seconds),
  }
}

export function authorization(token: string): Record<string, string> {
  return { Authorization: `Bearer ${token}` }
}
