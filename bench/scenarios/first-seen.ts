import type { Contestant } from '../contestants/contestant.ts'
import { counted, type Planegate } from '../contestants/planegate.ts'
import { type Algorithm, manyTokens } from '../contestants/tokens.ts'
import { compare, type Entrant } from '../lab/rounds.ts'
import { requestScript, runWrk } from '../load/wrk.ts'
import { authorization, type Field, startField } from './field.ts'
import { type Lab, type Ratio, ratioTable, seriesTable } from './scenario.ts'

/** Tokens that are sent in turn. Many more than planegate remembers, so that none is remembered when it comes again; the counters prove it. */
const TOKENS = { quick: 24_000, full: 40_000 }
/** Share of requests that may have met a token that was remembered. */
const KNOWN_AT_MOST = 0.001

/** Every request with a token that is not remembered: requests per second. */
export async function firstSeen(lab: Lab): Promise<void> {
  for (const algorithm of ['RS256', 'ES256'] satisfies Algorithm[]) {
    const field = await startField(lab, { algorithm, others: ['haproxy'] })
    const script = await scriptOf(lab, field)
    const series = await compare(
      field.all.map((contestant) => entrant(lab, contestant, script)),
      lab,
    )
    const known = await counted(field.planegate, 'token_cache_total', 'result="hit"')
    const fresh = await counted(field.planegate, 'token_cache_total', 'result="miss"')
    if (known > fresh * KNOWN_AT_MOST + 10) throw new Error(`${known} of ${known + fresh} tokens were remembered`)
    lab.print(seriesTable(series))
    lab.print(ratioTable(ratesOf(series[0]?.perSecond ?? [], series[1]?.perSecond, algorithm)))
    await field.stop()
  }
}

async function scriptOf(lab: Lab, { issuer }: Field): Promise<string> {
  const count = lab.quick ? TOKENS.quick : TOKENS.full
  lab.say(`signing ${count} ${issuer.algorithm} tokens`)
  const tokens = await manyTokens(issuer, count)
  const requests = tokens.map((token) => ({ path: '/things/1', headers: authorization(token) }))
  return requestScript(lab.bench, `first-seen-${issuer.algorithm}`, requests)
}

/** Goes on in the list where the round before ended; what was under way then is passed over. */
function entrant({ bench, wrk }: Lab, contestant: Contestant | Planegate, script: string): Entrant {
  let first = 0
  return {
    name: contestant.name,
    process: contestant.process,
    async run(seconds) {
      const result = await runWrk(bench, wrk, { url: contestant.url, script, first }, seconds)
      first += result.requests + 100
      return result
    },
  }
}

function ratesOf(ours: readonly number[], theirs: readonly number[] | undefined, algorithm: Algorithm): Ratio[] {
  if (theirs === undefined) return []
  const name = `requests per second, planegate / HAProxy ${algorithm}`
  return [{ name, ours, theirs, target: algorithm === 'RS256' ? { kind: 'at least', value: 0.4 } : null }]
}
