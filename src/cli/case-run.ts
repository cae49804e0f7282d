import { type Imagination, imagine } from '../composition/imagined.ts'
import type { Cases, WrittenCaller, WrittenCase } from '../config/cases.ts'
import { type CaseExpectation, type CaseRequest, NOBODY } from '../config/cases-schema.ts'
import type { Gateway } from '../config/gateway.ts'
import type { ImaginedCaller, Outcome } from '../explain/imagined-caller.ts'
import type { ImaginedRequest } from '../explain/imagined-request.ts'

/** One request of a case that was not decided as expected. */
export interface FailedCase {
  readonly name: string
  readonly file: string
  readonly line: number
  readonly as: string
  /** `GET /path` */
  readonly request: string
  readonly expected: CaseExpectation
  readonly got: Outcome
}

export interface CasesReport {
  /** Requests that were decided. */
  readonly requests: number
  readonly cases: number
  readonly failed: readonly FailedCase[]
  /** Routes that no request came to. */
  readonly untouched: readonly { readonly id: string; readonly source: string }[]
}

/** Decides every request of the table. Call it with cases that have no mistakes. */
export async function runCases({ source, callers, cases }: Cases, gateway: Gateway): Promise<CasesReport> {
  const imagination = imagine(gateway)
  const touched = new Set<string | null>()
  const failed: FailedCase[] = []
  let requests = 0
  for (const written of cases) {
    const { name, as, expect, at } = written
    const caller = callerOf(written, callers, imagination)
    for (const { request, line } of written.requests) {
      const got = await imagination.decideAs(imaginedRequest(request), caller, at ?? undefined)
      requests += 1
      touched.add(got.route)
      if (!isAsExpected(got, expect))
        failed.push({ name, file: source.display, line, as, request: `${request.method} ${request.path}`, expected: expect, got })
    }
  }
  const untouched = gateway.routes.filter(({ id }) => !touched.has(id)).map((route) => ({ id: route.id, source: route.source }))
  return { requests, cases: cases.length, failed, untouched }
}

/** Every part that is expected must be so. */
function isAsExpected(got: Outcome, expected: CaseExpectation): boolean {
  return (Object.keys(expected) as (keyof CaseExpectation)[]).every((part) => got[part] === expected[part])
}

function callerOf({ as }: WrittenCase, callers: Cases['callers'], { providers }: Imagination): ImaginedCaller | null {
  if (as === NOBODY) return null
  const caller = callers.get(as)
  if (caller === undefined) throw new TypeError(`the case asks as ${as}, whom the table does not name`)
  const { apiKey, subject = as, scopes, roles } = caller
  if (apiKey === true) return { kind: 'api-key', plane: 'MACHINE', issuer: null, subject, scopes, roles: [], claims: {} }
  return tokenHolder(caller, subject, providers, roles)
}

/** What its provider reads of a token stands in its claims as well, as tokens have it, so that a rule can ask for it. */
function tokenHolder(
  { provider: name, plane, scopes, claims }: WrittenCaller,
  subject: string,
  providers: Imagination['providers'],
  roles: readonly string[],
): ImaginedCaller {
  const provider = providers.find((one) => one.name === name)
  const side = plane ?? (provider !== undefined && 'fixed' in provider.plane ? provider.plane.fixed : 'HUMAN')
  const own = provider === undefined ? {} : { iss: provider.issuer, [provider.claims.subject]: subject }
  if (provider !== undefined && scopes.length > 0) Object.assign(own, { [provider.claims.scopes]: scopes.join(' ') })
  if (provider !== undefined && roles.length > 0) Object.assign(own, { [provider.claims.roles]: roles })
  return {
    kind: 'jwt',
    plane: side,
    issuer: provider?.issuer ?? null,
    subject,
    scopes,
    roles,
    claims: { ...own, ...claims },
  }
}

function imaginedRequest({ method, path, host, headers, address, upgrade }: CaseRequest): ImaginedRequest {
  const lines = Object.entries(headers).flatMap(([name, value]) => [value].flat().map((one): [string, string] => [name, one]))
  return { method, target: path, headers: lines, address, upgrade, ...(host !== undefined && { host }) }
}
