import type { z } from 'zod'
import {
  type CaseCaller,
  type CaseExpectation,
  type CaseRequest,
  caseCallerSchema,
  caseSchema,
  casesSchema,
  NOBODY,
} from './cases-schema.ts'
import { schemaFindings, valueAt } from './explain.ts'
import { type Finding, inReadingOrder } from './finding.ts'
import { type Path, readSource, type Source } from './source.ts'
import { nearest } from './suggestion.ts'

/** A caller, and where it is written. */
export interface WrittenCaller extends CaseCaller {
  readonly path: Path
}

/** One row of the table. */
export interface WrittenCase {
  readonly name: string
  readonly as: string
  readonly requests: readonly { readonly request: CaseRequest; readonly line: number }[]
  /** Milliseconds since the epoch; null: now. */
  readonly at: number | null
  readonly expect: CaseExpectation
  readonly path: Path
}

/** What a cases file holds, as far as it can be read. */
export interface Cases {
  readonly source: Source
  /** The gateway.yaml that it names, absolute; null: none. */
  readonly config: string | null
  readonly callers: ReadonlyMap<string, WrittenCaller>
  readonly cases: readonly WrittenCase[]
  /** In reading order. With any of them the rest is only good for finding more. */
  readonly mistakes: readonly Finding[]
}

/** Reads a table of cases. Never throws for what a file may hold: every mistake is among the mistakes, at once. */
export function loadCases(file: string): Cases {
  const source = readSource(file)
  if (source.value === undefined) return { source, config: null, callers: new Map(), cases: [], mistakes: source.mistakes }
  const reading = casesSchema.safeParse(source.value)
  const faults = reading.success ? [] : schemaFindings(casesSchema, source, reading.error.issues)
  const config = casesSchema.shape.config.safeParse(valueAt(source.value, ['config'])).data
  const callers = writtenCallers(source)
  const cases = writtenCases(source)
  const mistakes = [
    ...source.mistakes,
    ...faults,
    ...[...callers].flatMap(([name, caller]) => callerMistakes(source, name, caller)),
    ...cases.flatMap((written) => caseMistakes(source, written, callerNames(source))),
  ]
  return {
    source,
    config: config === undefined ? null : source.absolute(config),
    callers,
    cases,
    mistakes: inReadingOrder(mistakes, [source.display]),
  }
}

/** Those that can be read: one wrong entry takes no other with it. */
function writtenCallers(source: Source): Map<string, WrittenCaller> {
  return new Map(
    callerNames(source).flatMap((name): [string, WrittenCaller][] => {
      const path = ['callers', name]
      const caller = parsed(caseCallerSchema, source, path)
      return caller === null ? [] : [[name, { ...caller, path }]]
    }),
  )
}

function writtenCases(source: Source): WrittenCase[] {
  const list = valueAt(source.value, ['cases'])
  if (!Array.isArray(list)) return []
  return list.flatMap((_, index): WrittenCase[] => {
    const path = ['cases', index]
    const written = parsed(caseSchema, source, path)
    if (written === null) return []
    const { name, as, at = null, expect, request, requests = [] } = written
    const line = (at: Path) => source.place([...path, ...at]).line
    const one = request === undefined ? [] : [{ request, line: line(['name']) }]
    const many = requests.map((each, place) => ({ request: each, line: line(['requests', place]) }))
    return [{ name, as, at, expect, path, requests: [...one, ...many] }]
  })
}

function parsed<S extends z.ZodType>(schema: S, source: Source, path: Path): z.output<S> | null {
  const reading = schema.safeParse(valueAt(source.value, path))
  return reading.success ? reading.data : null
}

function callerNames(source: Source): string[] {
  const callers = valueAt(source.value, ['callers'])
  return typeof callers === 'object' && callers !== null && !Array.isArray(callers) ? Object.keys(callers) : []
}

function callerMistakes(
  source: Source,
  name: string,
  { path, provider, apiKey, plane, roles, claims }: WrittenCaller,
): Finding[] {
  if (name === NOBODY) return [source.finding(path, 'is who has no credential; choose another name', 'key')]
  if ((provider === undefined) === (apiKey === undefined))
    return [source.finding(path, 'must say where its credential is from: provider: NAME, or apiKey: true', 'key')]
  if (apiKey === undefined) return []
  const alien = { plane: plane !== undefined, roles: roles.length > 0, claims: Object.keys(claims).length > 0 }
  return Object.entries(alien).flatMap(([key, said]) =>
    said ? [source.finding([...path, key], 'an API key has none: it is of the MACHINE plane, with scopes only')] : [],
  )
}

function caseMistakes(source: Source, { path, as, requests }: WrittenCase, names: readonly string[]): Finding[] {
  const findings: Finding[] = []
  if (requests.length === 0) findings.push(source.finding(path, 'must have a request: GET /path, or several under requests:'))
  const known = [...names, NOBODY]
  if (!known.includes(as)) {
    const meant = nearest(as, known)
    const hint = meant === null ? `known are ${known.join(', ')}` : `did you mean ${meant}?`
    findings.push(source.finding([...path, 'as'], `there is no such caller; ${hint}`))
  }
  return findings
}
