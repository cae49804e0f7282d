/** Scenarios that are a row each: another credential, another binding, another body. */
import { type Planegate, startPlanegate } from '../contestants/planegate.ts'
import { LARGE_FILE } from '../contestants/upstream.ts'
import { bearer, proveCaller } from '../lab/proof.ts'
import { compare } from '../lab/rounds.ts'
import { type Load, requestScript } from '../load/wrk.ts'
import { authorization, type Field, type Other, startField, underWrk } from './field.ts'
import { cpuRatios, type Lab, ratioTable, seriesTable } from './scenario.ts'

const EVERYBODY: readonly Other[] = ['haproxy', 'plugin', 'hand-made']
const BODY = 10 * 1024

/** planegate by API key, beside itself by token. */
export async function apiKeys(lab: Lab): Promise<void> {
  const field = await startField(lab, { others: ['hand-made'] })
  const { planegate, token } = field
  const headers = { 'X-API-Key': planegate.keys[0] ?? '' }
  await proveCaller(planegate, { headers, subject: 'owner-0', path: '/machine/things/echo' })
  await rows(lab, field, [
    underWrk(lab, planegate, '/machine/things/1', { headers }, 'planegate, API key'),
    ...others(lab, field, '/things/1', { headers: authorization(token) }),
  ])
}

/** planegate with one Txn-Token per request, beside itself with one assertion per session. */
export async function bindingRequest(lab: Lab): Promise<void> {
  const field = await startField(lab, { others: ['hand-made'] })
  const { issuer, token } = field
  const bound: Planegate = await startPlanegate(lab.bench, { issuer, upstream: lab.upstream.origin, binding: 'request' })
  await proveCaller(bound, bearer(token))
  await rows(lab, field, [
    underWrk(lab, bound, '/things/1', { headers: authorization(token) }, 'planegate, binding: request'),
    ...others(lab, field, '/things/1', { headers: authorization(token) }),
  ])
  await bound.process.stop()
}

/** A body of 10 KB on its way up. */
export async function post10k(lab: Lab): Promise<void> {
  const field = await startField(lab, { others: EVERYBODY })
  const headers = { ...authorization(field.token), 'Content-Type': 'application/octet-stream' }
  for (const contestant of field.all) {
    const answer = await fetch(`${contestant.url}/things/echo`, { method: 'POST', headers, body: 'x'.repeat(BODY) })
    const { length } = (await answer.json()) as { length: string }
    if (length !== String(BODY)) throw new Error(`${contestant.name} tells the upstream of a body of ${length} bytes`)
  }
  const script = requestScript(lab.bench, 'post', [{ method: 'POST', path: '/things/1', headers, body: 'x'.repeat(BODY) }])
  await rows(lab, field, others(lab, field, '/things/1', { script }))
}

/** 1 MB on its way down. */
export async function download1m(lab: Lab): Promise<void> {
  const field = await startField(lab, { others: EVERYBODY })
  const headers = authorization(field.token)
  for (const contestant of field.all) {
    const { byteLength } = await (await fetch(`${contestant.url}/things/large`, { headers })).arrayBuffer()
    if (byteLength !== LARGE_FILE) throw new Error(`${contestant.name} passes ${byteLength} of ${LARGE_FILE} bytes`)
  }
  await rows(lab, field, others(lab, field, '/things/large', { headers, connections: 16 }))
}

function others(lab: Lab, { all }: Field, path: string, load: Omit<Load, 'url'>) {
  return all.map((contestant) => underWrk(lab, contestant, path, load))
}

/** Measures, prints, and stops the field. The first is held against all the others. */
async function rows(lab: Lab, field: Field, entrants: ReturnType<typeof others>): Promise<void> {
  const series = await compare(entrants, lab)
  lab.print(seriesTable(series))
  const [first, ...rest] = series.map(({ name }) => name)
  lab.print(ratioTable(cpuRatios(series, first ?? '', Object.fromEntries(rest.map((name) => [name, null])))))
  await field.stop()
}
