import { manyTokens } from '../contestants/tokens.ts'
import { type Target, table, targetText, verdict } from '../lab/report.ts'
import { holdings, settled } from '../lab/usage.ts'
import { requestScript, runWrk } from '../load/wrk.ts'
import { authorization, startField } from './field.ts'
import type { Lab } from './scenario.ts'

const REQUESTS = { quick: 60_000, full: 1_000_000 }
/** Share of the requests after which caches, pools and the compiler have settled. */
const WARM = 0.1
/** Sessions that take turns: more than are remembered, so that the oldest are forgotten all the time. */
const SESSIONS = { quick: 2_000, full: 20_000 }
const CHUNK = { quick: 2, full: 10 }
/** MiB and files that may be held more at the end: the heap may wait for its next full collection. */
const MEMORY: Target = { kind: 'at most', value: 64 }
const FILES: Target = { kind: 'at most', value: 8 }

/** Very many requests: resident memory and open files, after a tenth of them and at the end. */
export async function soak(lab: Lab): Promise<void> {
  const { bench, wrk } = lab
  const field = await startField(lab, { algorithm: 'ES256', others: [] })
  const { planegate } = field
  const tokens = await manyTokens(field.issuer, lab.quick ? SESSIONS.quick : SESSIONS.full)
  const requests = tokens.map((token, index) => ({ path: `/things/${index}`, headers: authorization(token) }))
  const script = requestScript(bench, 'soak', requests)
  const wanted = lab.quick ? REQUESTS.quick : REQUESTS.full
  let sent = 0
  const until = async (count: number) => {
    while (sent < count) {
      const result = await runWrk(bench, wrk, { url: planegate.url, script, first: sent }, lab.quick ? CHUNK.quick : CHUNK.full)
      sent += result.requests
      lab.say(`${sent} requests`)
    }
    await settled(planegate.process.pid)
    return { ...holdings(planegate.process.pid), sent }
  }
  const warm = await until(wanted * WARM)
  const end = await until(wanted)
  const grown = (end.resident - warm.resident) / 1024 / 1024
  const opened = end.files - warm.files
  lab.print(
    table(
      ['planegate', `${warm.sent} requests`, `${end.sent} requests`, 'more', 'target', ''],
      [
        [
          'resident memory, MiB',
          mib(warm.resident),
          mib(end.resident),
          grown.toFixed(1),
          targetText(MEMORY),
          verdict(grown, MEMORY),
        ],
        ['open files', String(warm.files), String(end.files), String(opened), targetText(FILES), verdict(opened, FILES)],
      ],
    ),
  )
  await field.stop()
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(1)
}
