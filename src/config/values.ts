import { z } from 'zod'
import { DURATION, parseDuration } from '../domain/duration.ts'

/** A value written as text, with the words that messages and the reference page use for it. */
export interface TextKind {
  /** With its article: `a duration`. */
  readonly title: string
  readonly example: string
  /** What it is made of, where the title alone does not tell. */
  readonly form?: string
  /** What the whole text must match; also goes into the JSON Schema. */
  readonly pattern?: RegExp
  /** What is wrong with a text that matches, or null. */
  readonly problem?: (text: string) => string | null
}

/** A string schema whose complaints say what to write instead. Messages quote nothing of the value. */
export function text(kind: TextKind) {
  return z
    .string()
    .superRefine((value, context) => {
      const problem = problemOf(kind, value)
      if (problem !== null) context.addIssue({ code: 'custom', message: problem })
    })
    .meta({ title: kind.title, examples: [kind.example], ...(kind.pattern && { pattern: kind.pattern.source }) })
}

function problemOf(kind: TextKind, value: string): string | null {
  if (kind.pattern && !kind.pattern.test(value))
    return `must be ${kind.title}${kind.form === undefined ? '' : ` ${kind.form}`} such as ${kind.example}`
  return kind.problem?.(value) ?? null
}

/** Longest wait that a timer of the runtime can hold is 2^31-1 ms; beyond it a timer fires at once. */
const LONGEST = '24d'

/** A duration, in milliseconds once read. */
export function duration(bounds: { min?: string; max?: string } = {}) {
  const min = bounds.min ?? '1ms'
  const max = bounds.max ?? LONGEST
  const problem = (value: string) => {
    const ms = parseDuration(value) ?? 0
    if (ms < (parseDuration(min) ?? 0)) return `must be at least ${min}`
    return ms > (parseDuration(max) ?? 0) ? `must be at most ${max}` : null
  }
  return text({ title: 'a duration', example: '30s', pattern: DURATION, problem }).transform((value) => parseDuration(value) ?? 0)
}

const SIZE = /^(\d{1,9})(B|KiB|MiB|GiB)$/
const SIZE_UNITS: Readonly<Record<string, number>> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** A size, in bytes once read. */
export function size() {
  return text({ title: 'a size', example: '1MiB', pattern: SIZE }).transform((value) => {
    const [, count = '0', unit = 'B'] = SIZE.exec(value) ?? []
    return Number(count) * (SIZE_UNITS[unit] ?? 1)
  })
}

const RATE = /^(\d{1,9})\/(s|min|h|d)$/
const RATE_UNITS: Readonly<Record<string, number>> = { s: 1_000, min: 60_000, h: 3_600_000, d: 86_400_000 }

/** A rate: `count` requests per `periodMs`. */
export function rate() {
  const problem = (value: string) => (/^0+\//.test(value) ? 'must admit at least 1; leave the route out to admit nothing' : null)
  return text({ title: 'a rate', example: '600/min', pattern: RATE, problem }).transform((value) => {
    const [, count = '0', unit = 'min'] = RATE.exec(value) ?? []
    return { count: Number(count), periodMs: RATE_UNITS[unit] ?? 60_000 }
  })
}

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/

/** A date, valid through its last moment in UTC: read as the milliseconds at which the next day starts. */
export function lastDay() {
  const midnight = (value: string) => {
    const [, year, month, day] = DATE.exec(value) ?? []
    return Date.UTC(Number(year), Number(month) - 1, Number(day))
  }
  const problem = (value: string) =>
    new Date(midnight(value)).toISOString().slice(0, 10) === value ? null : 'is not a day of the calendar'
  return text({ title: 'a date', example: '2027-06-30', pattern: DATE, problem }).transform(
    (value) => midnight(value) + 86_400_000,
  )
}

const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/

/** A path in the file system, relative to the file it stands in. */
export function filePath() {
  const problem = (value: string) => (value.trim() === '' || value.includes('\0') ? 'must name a file or folder' : null)
  return text({ title: 'a path', example: './keys/identity.pem', problem })
}

const fromEnv = z.strictObject({
  env: text({ title: 'the name of an environment variable', example: 'PLANEGATE_ADMIN_TOKEN', pattern: ENV_NAME }).describe(
    'Variable of the environment that holds it.',
  ),
})
const fromFile = z.strictObject({ file: filePath().describe('File that holds it, relative to this file.') })

const inlineAdvice = (what: string) => (issue: { input?: unknown }) =>
  typeof issue.input === 'string' ? `a secret is never written inline: write ${what}` : `must be ${what}`

/** Where a secret is found. Written as text it is refused with the advice to refer to it. */
export function secretReference() {
  return z
    .union([fromEnv, fromFile], { error: inlineAdvice('{ env: NAME } or { file: PATH }') })
    .meta({ title: 'a secret reference', examples: ['{ env: NAME }'] })
}

/** A key that must stand in a file of its own. */
export function keyFile() {
  return z
    .strictObject(fromFile.shape, {
      error: (issue) => (issue.code === 'invalid_type' ? inlineAdvice('{ file: PATH }')(issue) : undefined),
    })
    .meta({ title: 'a key file', examples: ['{ file: ./keys/identity.pem }'] })
}

/** An address of a store: written out when it holds no secret, else a reference. */
export function storeUrl(kind: TextKind) {
  return z.union([text(kind), fromEnv], { error: `must be ${kind.title} such as ${kind.example}, or { env: NAME }` })
}
