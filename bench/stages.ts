/** What each stage of `decide` costs by itself, with real parts: `npm run bench -- stages [--quick]`. The whole is more than the sum: each stage alone finds its data in the processor's caches. */

import type { Inbound } from '../src/domain/inbound.ts'
import { Adjudication, adjudicate } from '../src/pipeline/adjudicate.ts'
import { decide } from '../src/pipeline/decide.ts'
import type { Pipeline } from '../src/pipeline/pipeline.ts'
import { authorize } from '../src/pipeline/stages/authorize.ts'
import { checkOrigin } from '../src/pipeline/stages/check-origin.ts'
import { checkRevocation } from '../src/pipeline/stages/check-revocation.ts'
import { matchKind } from '../src/pipeline/stages/match-kind.ts'
import { matchRoute } from '../src/pipeline/stages/match-route.ts'
import { readCredential } from '../src/pipeline/stages/read-credential.ts'
import { refuseAmbiguity } from '../src/pipeline/stages/refuse-ambiguity.ts'
import { refuseGuessing } from '../src/pipeline/stages/refuse-guessing.ts'
import { takeAddressAllowance } from '../src/pipeline/stages/take-address-allowance.ts'
import { takeAllowances } from '../src/pipeline/stages/take-allowances.ts'
import { verify } from '../src/pipeline/stages/verify.ts'
import { vouch } from '../src/pipeline/stages/vouch.ts'
import { outboundHeaders } from '../src/upstream/outbound-headers.ts'
import { manyTokens } from './contestants/tokens.ts'
import { spreadText, table } from './lab/report.ts'
import { openStageWorld, type StageWorld } from './probes/stage-world.ts'
import { type CallCost, timedCalls } from './probes/timed-calls.ts'

const quick = process.argv.includes('--quick')
const EFFORT = quick ? { batches: 5, calls: 10_000 } : { batches: 15, calls: 30_000 }
/** Signing and verifying take so much longer that fewer calls say as much. */
const SLOW = quick ? { batches: 5, calls: 250 } : { batches: 15, calls: 1_000 }

const world = await openStageWorld()
try {
  const rows: [string, CallCost][] = []
  for (const [name, call, effort = EFFORT] of await measured(world)) {
    const cost = await timedCalls(call, effort)
    rows.push([name, cost])
    process.stderr.write(`${name}\n`)
  }
  const cells = rows.map(([name, { nanoseconds, bytes }]) => [name, spreadText(nanoseconds, 0), spreadText(bytes, 0)])
  process.stdout.write(`${table(['stage', 'ns per call', 'bytes allocated'], cells)}\n`)
} finally {
  await world.close()
}

type Measured = readonly [name: string, call: () => unknown, effort?: typeof EFFORT]

async function measured(world: StageWorld): Promise<Measured[]> {
  const { pipeline, issuer, apiKey } = world
  const inbound = requestWith(['Authorization', `Bearer ${await issuer.token()}`])
  const byKey = { ...requestWith(['X-API-Key', apiKey]), target: '/machine/things/1' }
  const fresh = await manyTokens(issuer, SLOW.calls * (SLOW.batches + 1), 'fresh')
  const strangers = await Promise.all(
    fresh.map((token) => unsuspectedFor(requestWith(['Authorization', `Bearer ${token}`]), pipeline)),
  )
  const keyHolder = await unsuspectedFor(byKey, pipeline)
  let stranger = 0
  return [
    ['nothing', () => undefined],
    ...(await stages(inbound, pipeline)),
    [
      'verify, token not seen before (ES256)',
      () => verify(strangers[stranger++ % strangers.length] ?? keyHolder, pipeline),
      SLOW,
    ],
    ['verify, API key', () => verify(keyHolder, pipeline)],
    ['decide, all of it', () => decide(inbound, pipeline, (proof) => proof)],
    ['adjudicate, record and meter too', async () => (await adjudicate(inbound, pipeline, () => {})).answered(200)],
  ]
}

async function stages(inbound: Inbound, pipeline: Pipeline): Promise<Measured[]> {
  const welcome = await takeAddressAllowance(inbound, pipeline)
  const wellFormed = refuseAmbiguity(welcome, pipeline)
  const routed = matchRoute(wellFormed, pipeline)
  const presented = readCredential(routed, pipeline)
  const fitting = matchKind(presented, pipeline)
  const invited = checkOrigin(fitting)
  const unsuspected = await refuseGuessing(invited, pipeline)
  const verified = await verify(unsuspected, pipeline)
  const live = await checkRevocation(verified, pipeline)
  const admitted = await takeAllowances(live, pipeline)
  const authorized = authorize(admitted, pipeline)
  const granted = await vouch(authorized, pipeline)
  return [
    ['takeAddressAllowance', () => takeAddressAllowance(inbound, pipeline)],
    ['refuseAmbiguity', () => refuseAmbiguity(welcome, pipeline)],
    ['matchRoute', () => matchRoute(wellFormed, pipeline)],
    ['readCredential', () => readCredential(routed, pipeline)],
    ['matchKind', () => matchKind(presented, pipeline)],
    ['checkOrigin', () => checkOrigin(fitting)],
    ['refuseGuessing', () => refuseGuessing(invited, pipeline)],
    ['verify, token remembered', () => verify(unsuspected, pipeline)],
    ['checkRevocation', () => checkRevocation(verified, pipeline)],
    ['takeAllowances', () => takeAllowances(live, pipeline)],
    ['authorize', () => authorize(admitted, pipeline)],
    ['vouch, assertion at hand', () => vouch(authorized, pipeline)],
    ['headers for the upstream', () => outboundHeaders(granted, pipeline, '127.0.0.1:9')],
    ['record and meter', () => new Adjudication(granted, granted.facts, pipeline, () => {}).answered(200)],
  ]
}

async function unsuspectedFor(inbound: Inbound, pipeline: Pipeline) {
  const routed = matchRoute(refuseAmbiguity(await takeAddressAllowance(inbound, pipeline), pipeline), pipeline)
  return refuseGuessing(checkOrigin(matchKind(readCredential(routed, pipeline), pipeline)), pipeline)
}

/** A request as a small client sends it. */
function requestWith(credential: readonly string[]): Inbound {
  return {
    requestId: '6f1c2a7e-1f0b-4c8e-9a53-0d1c2b3a4f5e',
    method: 'GET',
    target: '/things/1',
    rawHeaders: ['Host', 'api.bench.example', 'User-Agent', 'bench/1', 'Accept', '*/*', ...credential],
    clientAddress: '127.0.0.1',
    httpVersion: '1.1',
    malformed: null,
    origin: { addresses: ['127.0.0.1'], proto: 'http', host: 'api.bench.example' },
    userAgent: 'bench/1',
    upgrade: false,
    arrivedAt: 0,
  }
}
