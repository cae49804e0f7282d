import { endpointRoutesOf, planeByClaims, providersOf } from '../composition/imagined.ts'
import type { Cases, WrittenCaller, WrittenCase } from '../config/cases.ts'
import { valueAt } from '../config/explain.ts'
import type { Finding } from '../config/finding.ts'
import type { Gateway } from '../config/gateway.ts'
import type { Path, Source } from '../config/source.ts'
import { nearest } from '../config/suggestion.ts'
import { REASONS } from '../problem/reasons.ts'
import { REFUSALS, type RefusalCode, refusalKind } from '../problem/refusals.ts'

/** Codes that come of what is kept outside the configuration, or of what happens after the decision. */
const UNDECIDED_HERE: ReadonlySet<RefusalCode> = new Set<RefusalCode>([
  'audit-unavailable',
  'headers-too-large',
  'internal',
  'key-not-active',
  'key-unknown',
  'keys-unavailable',
  'limiter-unavailable',
  'overloaded',
  'rate-limited',
  'request-timeout',
  'revocation-unavailable',
  'store-unavailable',
  'upstream-invalid',
  'upstream-open',
  'upstream-timeout',
  'upstream-unreachable',
])

/** What a table of cases says that cannot be so under this configuration. */
export function caseMistakes({ source, callers, cases }: Cases, gateway: Gateway): Finding[] {
  return [
    ...[...callers.values()].flatMap((caller) => callerMistakes(source, caller, gateway)),
    ...cases.flatMap((written) => expectationMistakes(source, written, gateway)),
  ]
}

function callerMistakes(source: Source, { path, provider: name, plane, claims }: WrittenCaller, gateway: Gateway): Finding[] {
  if (name === undefined) return []
  const providers = providersOf(gateway)
  const provider = providers.find((one) => one.name === name)
  if (provider === undefined) {
    const known = providers.map((one) => one.name)
    return [unknownName(source, [...path, 'provider'], 'provider', name, known)]
  }
  if ('fixed' in provider.plane) {
    const { fixed } = provider.plane
    if (plane === undefined || plane === fixed) return []
    return [source.finding([...path, 'plane'], `is not the plane of provider ${name}, which is ${fixed}`)]
  }
  const { claim } = provider.plane
  const decided = planeByClaims(claims, provider)
  if (decided === null && plane === undefined)
    return [source.finding(path, `provider ${name} reads the plane from the claim ${claim}: add plane: HUMAN or MACHINE`, 'key')]
  if (decided !== null && 'plane' in decided && plane !== undefined && plane !== decided.plane)
    return [source.finding([...path, 'plane'], `is not what the claim ${claim} says to provider ${name}: ${decided.plane}`)]
  return []
}

function expectationMistakes(source: Source, { path, expect }: WrittenCase, gateway: Gateway): Finding[] {
  const at = [...path, 'expect']
  // A code may stand there by itself.
  const atCode = typeof valueAt(source.value, at) === 'string' ? at : [...at, 'code']
  const { code, status, reason, route, decision } = expect
  const findings: Finding[] = []
  const ids = [...gateway.routes, ...endpointRoutesOf(gateway)].map(({ id }) => id)
  if (route !== undefined && !ids.includes(route)) findings.push(unknownName(source, [...at, 'route'], 'route', route, ids))
  if (code === undefined) return findings
  if (decision === 'allow') findings.push(source.finding(atCode, 'what is allowed has no refusal code'))
  if (!isCode(code)) return [...findings, unknownName(source, atCode, 'refusal code', code, Object.keys(REFUSALS))]
  if (UNDECIDED_HERE.has(code))
    findings.push(source.finding(atCode, 'does not come of the configuration alone, so it cannot be expected here'))
  if (status !== undefined && status !== refusalKind(code).status)
    findings.push(source.finding([...at, 'status'], `${code} is always ${refusalKind(code).status}`))
  if (reason !== undefined && !Object.hasOwn(REASONS[code], reason))
    findings.push(unknownName(source, [...at, 'reason'], `reason of ${code}`, reason, Object.keys(REASONS[code])))
  return findings
}

function isCode(text: string): text is RefusalCode {
  return Object.hasOwn(REFUSALS, text)
}

function unknownName(source: Source, path: Path, what: string, name: string, known: readonly string[]): Finding {
  const meant = nearest(name, known)
  const hint =
    meant !== null ? `did you mean ${meant}?` : known.length <= 12 ? `known are ${known.join(', ')}` : 'see `planegate check`'
  return source.finding(path, `there is no such ${what}; ${hint}`)
}
