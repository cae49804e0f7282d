import { isIP } from 'node:net'
import { endpointRoutesOf } from '../composition/imagined.ts'
import type { Cases, WrittenCase } from '../config/cases.ts'
import { valueAt } from '../config/explain.ts'
import type { Finding } from '../config/finding.ts'
import type { Gateway } from '../config/gateway.ts'
import type { Source } from '../config/source.ts'
import { REASONS } from '../problem/reasons.ts'
import { REFUSALS, type RefusalCode, refusalKind } from '../problem/refusals.ts'
import { callerMistakes } from './case-callers.ts'
import { unknownName } from './unknown-name.ts'

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
    ...cases.flatMap((written) => [...requestMistakes(source, written), ...expectationMistakes(source, written, gateway)]),
  ]
}

/** What no client could send, or only by mistake. Everything else is sent, and refused as the gateway refuses it. */
function requestMistakes(source: Source, { path, requests }: WrittenCase): Finding[] {
  const single = valueAt(source.value, [...path, 'request']) !== undefined
  return requests.flatMap(({ request: { method, address } }, index) => {
    const at = single && index === 0 ? [...path, 'request'] : [...path, 'requests', single ? index - 1 : index]
    const part = (name: string) => (typeof valueAt(source.value, at) === 'string' ? at : [...at, name])
    const findings: Finding[] = []
    if (isIP(address) === 0) findings.push(source.finding(part('address'), 'is no IP address'))
    if (method !== method.toUpperCase())
      findings.push(source.finding(part('method'), `a method is written in capitals: ${method.toUpperCase()}`))
    return findings
  })
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
