import type { Aftermath } from '../explain/explanation.ts'
import { malformation } from '../http/gate.ts'
import type { RawRequest } from '../http/raw-request.ts'
import { upgradeOfEndpoint } from '../http/upgrades.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import { Refusal } from '../problem/refusal.ts'

/** What the listener does after the decision, as `gate`, `upgradeGate` and what forwards to an upstream do it. `maxBodySize`: bytes. */
export function afterwards({ facts }: Granted, raw: RawRequest, maxBodySize: number): Aftermath {
  const { broken, inbound, handshakeFault, bodyLength } = raw
  if (broken !== null) return refused(malformation(broken))
  if (facts.preflight) return { status: 204, refusal: null }
  if (facts.route.upstream === null) return inbound.upgrade ? refused(upgradeOfEndpoint()) : { status: 200, refusal: null }
  if (handshakeFault !== null) return refused(new Refusal('request-malformed', handshakeFault))
  // A length that was declared has been held against the bound before; this is for a body that came in chunks.
  if (bodyLength > maxBodySize) return refused(new Refusal('body-too-large', 'streamed-length'))
  return { status: null, refusal: null }
}

function refused(refusal: Refusal): Aftermath {
  return { status: null, refusal }
}
