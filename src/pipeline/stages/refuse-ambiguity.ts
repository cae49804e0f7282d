import { canonicalPath } from '../../domain/canonical-path.ts'
import type { Aimed } from '../../domain/evidence.ts'
import type { Inbound } from '../../domain/inbound.ts'
import { valuesOf } from '../../domain/raw-headers.ts'
import type { ReasonOf } from '../../problem/reasons.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Pipeline } from '../pipeline.ts'
import { Proof } from '../proof.ts'
import type { Welcome } from './take-address-allowance.ts'

/** Proof that the request has one reading: one path, one host, one length. */
class WellFormed extends Proof<Aimed> {
  protected readonly stage = 'refuseAmbiguity'
}

export type { WellFormed }

/** Refuses what two servers could read in two ways (RFC 9112 sections 3.2, 6.3 and 11.2), so that nothing behind sees another request. */
export function refuseAmbiguity(welcome: Welcome, { maxBodySize }: Pick<Pipeline, 'maxBodySize'>): WellFormed {
  const { inbound } = welcome.facts
  if (inbound.malformed !== null) throw Refusal.for(inbound.malformed)
  const host = readHost(inbound)
  const origin = originForm(inbound.target, host)
  refuseTwoLengths(inbound, maxBodySize)
  // Two readers could take one each for where the page comes from (RFC 6454 section 7.3).
  if (valuesOf(inbound.rawHeaders, 'origin').length > 1) throw malformed('several-origins')
  const question = origin.indexOf('?')
  const query = question === -1 ? '' : origin.slice(question + 1)
  if (/[^\x21-\x7e]|#/.test(query)) throw malformed('query-characters')
  const reading = canonicalPath(question === -1 ? origin : origin.slice(0, question))
  if ('ambiguity' in reading) throw new Refusal('path-ambiguous', reading.ambiguity)
  return new WellFormed({ ...welcome.facts, target: { path: reading.path, query, host: toldHost(inbound, host) } })
}

const HOST = /^(?:[a-z0-9_-]+(?:\.[a-z0-9_-]+)*\.?|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?$/

/** The one `Host`, in lower case with its port; empty only for HTTP/1.0 (RFC 9112 section 3.2). */
function readHost({ rawHeaders, httpVersion }: Inbound): string {
  const hosts = valuesOf(rawHeaders, 'host')
  if (hosts.length > 1) throw malformed('several-hosts')
  const host = hosts[0]?.toLowerCase()
  if (host === undefined) {
    if (httpVersion === '1.0') return ''
    throw malformed('host-missing')
  }
  if (!HOST.test(host)) throw malformed('host-invalid')
  return host
}

/** The host to route by is the one that the upstream will be told: behind a trusted proxy, what that proxy says. */
function toldHost({ origin }: Inbound, host: string): string {
  const told = origin.host === '' ? host : origin.host.toLowerCase()
  if (told !== '' && !HOST.test(told)) throw malformed('forwarded-host-invalid')
  return told.replace(/:[0-9]+$/, '').replace(/\.$/, '')
}

/** The target in origin form. Absolute form is taken only for the host that `Host` names; other forms are for proxies and tunnels. */
function originForm(target: string, host: string): string {
  if (target.startsWith('/')) return target
  const absolute = /^https?:\/\/([^/?#]*)(.*)$/i.exec(target)
  if (absolute === null) throw malformed('target-form')
  if (absolute[1]?.toLowerCase() !== host) throw malformed('target-for-another-host')
  const rest = absolute[2] ?? ''
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** One body length at most, and within the bound. The listener's parser refuses most of this already; two readers are the point. */
function refuseTwoLengths({ rawHeaders }: Inbound, maxBodySize: number): void {
  const lengths = valuesOf(rawHeaders, 'content-length')
  const codings = valuesOf(rawHeaders, 'transfer-encoding')
  if (lengths.length + codings.length > 1) throw malformed('several-lengths')
  if (codings[0] !== undefined && codings[0].toLowerCase() !== 'chunked') throw malformed('transfer-coding-unknown')
  const length = lengths[0]
  if (length === undefined) return
  if (!/^[0-9]{1,16}$/.test(length)) throw malformed('length-invalid')
  if (Number(length) > maxBodySize) throw new Refusal('body-too-large', 'declared-length')
}

function malformed(reason: ReasonOf<'request-malformed'>): Refusal {
  return new Refusal('request-malformed', reason)
}
