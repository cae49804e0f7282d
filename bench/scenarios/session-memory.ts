import { join } from 'node:path'
import { type Planegate, startPlanegate } from '../contestants/planegate.ts'
import { manyTokens, openIssuer } from '../contestants/tokens.ts'
import { ask, type Started } from '../lab/bench.ts'
import { bearer, proveCaller } from '../lab/proof.ts'
import { type Target, table, targetText, verdict } from '../lab/report.ts'
import { requestScript, runWrk } from '../load/wrk.ts'
import { authorization } from './field.ts'
import type { Lab } from './scenario.ts'

const PROBES = join(import.meta.dirname, '..', 'probes')
/** Sessions that planegate remembers at most (`CACHE_SIZE` of its token verifier): what comes after takes the place of what was before. */
const REMEMBERED = 10_000
const TOKENS = { quick: 20_000, full: 100_000 }
/** Bytes of a session beyond its claims. */
const TARGET: Target = { kind: 'below', value: 400 }
/** Seconds of load between two looks at how far it has come. */
const CHUNK = 5

/** Bytes of heap that are in use for each session that is remembered, and for its claims alone. */
export async function sessionMemory(lab: Lab): Promise<void> {
  const { bench, upstream } = lab
  const issuer = openIssuer(bench.folder, 'ES256')
  const count = lab.quick ? TOKENS.quick : TOKENS.full
  lab.say(`signing ${count} tokens`)
  const tokens = await manyTokens(issuer, count)
  const planegate = await startPlanegate(bench, {
    issuer,
    upstream: upstream.origin,
    program: join(PROBES, 'measured-gateway.ts'),
  })
  const token = await issuer.token()
  await proveCaller(planegate, bearer(token))
  await send(lab, planegate, 'warm', [token])
  const empty = await heapOf(planegate.process)
  await send(lab, planegate, 'remembered', tokens.slice(0, REMEMBERED))
  const remembered = await heapOf(planegate.process)
  await send(lab, planegate, 'all', tokens)
  const all = await heapOf(planegate.process)
  await planegate.process.stop()
  const claims = await claimsOf(lab, tokens.slice(0, REMEMBERED))
  const session = (remembered - empty) / REMEMBERED
  const beyond = session - claims
  lab.print(
    table(
      ['bytes', '', 'target', ''],
      [
        ['heap in use, one session', String(empty), '', ''],
        [`heap in use, ${REMEMBERED} sessions`, String(remembered), '', ''],
        [`heap in use, after ${count} tokens`, String(all), '', ''],
        ['of each session', session.toFixed(0), '', ''],
        ['of the claims of one, parsed', claims.toFixed(0), '', ''],
        ['of each session beyond its claims', beyond.toFixed(0), targetText(TARGET), verdict(beyond, TARGET)],
      ],
    ),
  )
}

/** Each token at least once. Over a few connections, so that what each of them holds does not count. */
async function send({ bench, wrk }: Lab, { url }: Planegate, name: string, tokens: readonly string[]): Promise<void> {
  const requests = tokens.map((token) => ({ path: '/things/1', headers: authorization(token) }))
  const script = requestScript(bench, `memory-${name}`, requests)
  for (let first = 0; first < tokens.length; ) {
    first += (await runWrk(bench, wrk, { url, script, first, connections: 8 }, CHUNK)).requests
  }
}

/** Bytes of a token's claims as an object: what an array of them holds more than an empty one. */
async function claimsOf({ bench }: Lab, tokens: readonly string[]): Promise<number> {
  const argv = [process.execPath, '--expose-gc', join(PROBES, 'claims.ts')]
  const probe = await bench.start(argv, { on: 'contestant core', ready: { line: /^ready$/m }, messages: true })
  const before = await heapOf(probe)
  await ask(probe, { tokens })
  const after = await heapOf(probe)
  await probe.stop()
  return (after - before) / tokens.length
}

/** Bytes in use after a collection. */
function heapOf(measured: Started): Promise<number> {
  return ask(measured, 'heap')
}
