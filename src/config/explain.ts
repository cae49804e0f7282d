import type { z } from 'zod'
import type { Finding } from './finding.ts'
import { knownKeys, schemaAt, unwrapped, wording } from './schema-walk.ts'
import type { Path, Source } from './source.ts'
import { nearest } from './suggestion.ts'

type Issue = z.core.$ZodIssue

/** What a schema has against a file, as findings: one per unknown key, one per wrong value. */
export function schemaFindings(schema: z.core.$ZodType, source: Source, issues: readonly Issue[]): Finding[] {
  return issues.flatMap((issue) => explain(schema, source, issue, issue.path))
}

function explain(schema: z.core.$ZodType, source: Source, issue: Issue, path: Path): Finding[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => source.finding([...path, key], unknownKey(schema, source, path, key), 'key'))
    case 'invalid_key':
      return [source.finding(path, issue.issues[0]?.message ?? 'is not a valid name', 'key')]
    case 'invalid_union':
      return explainUnion(schema, source, issue, path)
    default:
      return [source.finding(path, messageOf(schema, source, issue, path))]
  }
}

/** Of the alternatives, the one that was clearly meant is explained in detail; else the union's own sentence. */
function explainUnion(schema: z.core.$ZodType, source: Source, issue: z.core.$ZodIssueInvalidUnion, path: Path): Finding[] {
  const value = valueAt(source.value, path)
  if (value === undefined) return [source.finding(path, missing(schema, path))]
  const near = issue.errors.filter((issues) =>
    issues.every(({ path: deeper, code }) => deeper.length > 0 || code === 'unrecognized_keys' || code === 'custom'),
  )
  const [meant] = near
  if (meant === undefined || near.length > 1) return [source.finding(path, issue.message)]
  return meant.flatMap((inner) => explain(schema, source, inner, [...path, ...inner.path]))
}

function unknownKey(schema: z.core.$ZodType, source: Source, path: Path, key: string): string {
  const keys = keysAt(schema, path)
  const present = valueAt(source.value, path)
  const absent = keys.filter((known) => !Object.hasOwn(Object(present), known))
  const meant = nearest(key, absent) ?? nearest(key, keys)
  if (meant !== null) return `there is no such key; did you mean ${meant}?`
  return `there is no such key; known are ${keys.join(', ')}`
}

function keysAt(schema: z.core.$ZodType, path: Path): string[] {
  const here = schemaAt(schema, path)
  if (here === null) return []
  const { def } = unwrapped(here)._zod
  return def.type === 'union' ? [...new Set(def.options.flatMap((option) => knownKeys(option)))] : knownKeys(here)
}

function messageOf(schema: z.core.$ZodType, source: Source, issue: Issue, path: Path): string {
  if (valueAt(source.value, path) === undefined) return missing(schema, path)
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('Invalid input') ? wrongType(schema, source, issue, path) : issue.message
    case 'invalid_value':
      return issue.message.startsWith('Invalid') ? wrongChoice(issue, valueAt(source.value, path)) : issue.message
    case 'too_small':
      return issue.origin === 'number' ? `must be at least ${issue.minimum}` : 'must not be empty'
    case 'too_big':
      return `must be at most ${issue.maximum}`
    default:
      return issue.message
  }
}

function missing(schema: z.core.$ZodType, path: Path): string {
  const here = schemaAt(schema, path)
  const words = here === null ? null : wording(here)
  const options = here === null ? [] : choices(here)
  if (options.length > 0) return `is required: one of ${options.join(', ')}`
  return words === null
    ? 'is required'
    : `is required: ${words.title}${words.example === null ? '' : ` such as ${words.example}`}`
}

function choices(schema: z.core.$ZodType): string[] {
  const { def } = unwrapped(schema)._zod
  return def.type === 'enum' ? Object.values(def.entries).map(String) : []
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a map of keys',
  record: 'a map of names',
}

function wrongType(schema: z.core.$ZodType, source: Source, issue: z.core.$ZodIssueInvalidType, path: Path): string {
  const here = schemaAt(schema, path)
  const words = here === null ? null : wording(here)
  const expected =
    words === null
      ? (TYPE_NAMES[issue.expected] ?? issue.expected)
      : `${words.title}${words.example === null ? '' : ` such as ${words.example}`}`
  return `must be ${expected}, not ${typeName(valueAt(source.value, path))}`
}

function typeName(value: unknown): string {
  if (value === null) return 'nothing'
  return TYPE_NAMES[Array.isArray(value) ? 'array' : typeof value] ?? typeof value
}

function wrongChoice(issue: z.core.$ZodIssueInvalidValue, value: unknown): string {
  const options = issue.values.map(String)
  const meant = typeof value === 'string' ? nearest(value, options) : null
  return `must be one of ${options.join(', ')}${meant === null ? '' : `; did you mean ${meant}?`}`
}

/** What stands at a path of a plain value; undefined where nothing does. */
export function valueAt(value: unknown, path: Path): unknown {
  let current = value
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined
    current = (current as Record<PropertyKey, unknown>)[step]
  }
  return current
}
