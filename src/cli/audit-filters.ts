import type { RecordFilter } from '../audit/reading/record-filter.ts'
import { redactCredentials } from '../domain/credential-shape.ts'
import { parseDuration } from '../domain/duration.ts'
import { parseTimestamp } from '../domain/timestamp.ts'
import { DEFAULT_CONFIG, UsageError, type VerbIo } from './arguments.ts'
import { type AuditWorld, pseudonymsOf } from './audit-world.ts'

/** Options of every verb that picks records. */
export const FILTER_OPTIONS = {
  request: { type: 'string' },
  subject: { type: 'string' },
  address: { type: 'string' },
  code: { type: 'string' },
  route: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  dir: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

type Given = { readonly [Name in Exclude<keyof typeof FILTER_OPTIONS, 'json'>]?: string | undefined }

/** Which records, and where they are. */
export interface Picked {
  readonly directory: string
  readonly filter: RecordFilter
}

/** Reads the options. The configuration is not needed with `--dir`; given all the same, it has the key of the pseudonyms. Throws `UsageError`. */
export function picked(given: Given, world: AuditWorld, io: VerbIo): Picked {
  for (const name of ['request', 'subject', 'address', 'code', 'route'] as const) {
    const value = given[name]
    if (value === '' || (value !== undefined && redactCredentials(value) !== value))
      throw new UsageError(`--${name} takes an identifier, and never nothing, a token or a key itself`)
  }
  const now = world.clock.now()
  const [since, until] = [moment('--since', given.since, now), moment('--until', given.until, now)]
  const configured =
    given.dir === undefined || given.config !== undefined ? world.configured(given.config ?? DEFAULT_CONFIG) : null
  const personal = given.subject !== undefined || given.address !== undefined
  const pseudonyms = configured !== null && personal ? pseudonymsOf(configured, world, io) : null
  const either = (use: 'subject' | 'address', value: string | undefined) =>
    value === undefined ? null : [value, ...(pseudonyms === null ? [] : [pseudonyms.of(use, value)])]
  return {
    directory: given.dir ?? configured?.directory ?? '',
    filter: {
      request: given.request ?? null,
      subjects: either('subject', given.subject),
      addresses: either('address', given.address),
      code: given.code ?? null,
      route: given.route ?? null,
      since,
      until,
    },
  }
}

/** Milliseconds since the epoch of a date and time, or of an age such as `15m`. */
function moment(option: string, written: string | undefined, now: number): number | null {
  if (written === undefined) return null
  const age = parseDuration(written)
  const value = age === null ? parseTimestamp(written) : now - age
  if (value === null)
    throw new UsageError(`${option} takes an age such as 15m, 2h or 7d, or a moment such as 2026-01-02T03:04:05Z`)
  return value
}
