import type { LogLine } from '../audit/reading/log-line.ts'
import { allRecords, newestRecords, type ReadOptions } from '../audit/reading/log-records.ts'
import { RecordMatcher } from '../audit/reading/record-filter.ts'
import { parseVerbArguments, UsageError, type VerbIo } from './arguments.ts'
import { FILTER_OPTIONS, type Picked, picked } from './audit-filters.ts'
import { COLUMNS, recordBlock, recordRow } from './audit-record-text.ts'
import { type AuditWorld, unreadableDirectory, wholeNumber } from './audit-world.ts'
import { plainJson, plainText } from './plain-text.ts'
import { textTable } from './table.ts'

const OPTIONS = { ...FILTER_OPTIONS, limit: { type: 'string' } } as const
/** Rows of a table when nothing else is said. */
const MOST = 100

/** `planegate audit show (--request ID | --subject S | --address A | --code C | --route R | --since T | --until T) [--dir DIR | --config F] [--limit N] [--json]`. */
export async function auditShow(argv: readonly string[], io: VerbIo, world: AuditWorld): Promise<number> {
  const { values } = parseVerbArguments(argv, OPTIONS)
  const limit = values.limit === undefined ? null : wholeNumber('--limit', values.limit)
  const named = (['request', 'subject', 'address', 'code', 'route', 'since', 'until'] as const).some(
    (name) => values[name] !== undefined,
  )
  if (!named)
    throw new UsageError('say which records: --request ID, --subject S, --address A, --code C, --route R, --since T or --until T')
  const wanted = picked(values, world, io)
  try {
    const shown =
      values.json && limit === null ? await stream(wanted, io) : await newest(wanted, { limit, json: values.json }, io)
    if (shown === 0) io.err(`planegate audit: nothing was found. ${hint(wanted)}\n`)
    return shown === 0 ? 1 : 0
  } catch (error) {
    throw unreadableDirectory(wanted.directory, error)
  }
}

/** However many there are, in bounded memory. */
async function stream({ directory, filter }: Picked, io: VerbIo): Promise<number> {
  let shown = 0
  for await (const found of allRecords(directory, new RecordMatcher(filter), reading(filter.since, io))) {
    io.out(jsonLine(found))
    shown += 1
  }
  return shown
}

async function newest(
  { directory, filter }: Picked,
  { limit, json }: { limit: number | null; json: boolean },
  io: VerbIo,
): Promise<number> {
  const most = limit ?? MOST
  // One more than is shown tells whether there are more.
  const { records } = await newestRecords(directory, new RecordMatcher(filter), most + 1, reading(filter.since, io))
  const shown = records.slice(-most)
  if (json) io.out(shown.map(jsonLine).join(''))
  else if (filter.request !== null) io.out(shown.map(({ seq, record }) => recordBlock(seq, record)).join('\n'))
  else if (shown.length > 0)
    io.out(
      textTable(
        COLUMNS,
        shown.map(({ record }) => recordRow(record)),
      ),
    )
  if (!json && records.length > most) io.err(`planegate audit: older ones are left out; --limit N shows more than ${most}\n`)
  return shown.length
}

/** How records are read for people: what is damaged is said, and passed over. */
export function reading(since: number | null, io: VerbIo): ReadOptions {
  const unreadable = (file: string) =>
    io.err(`planegate audit: ${plainText(file)} cannot be read to its end; \`audit verify\` says more\n`)
  return { since, unreadable }
}

/** One record, one JSON object, one line. */
export function jsonLine({ record }: LogLine): string {
  return `${plainJson(record)}\n`
}

function hint({ filter }: Picked): string {
  const hints = [
    'Repeated `rate-limited` refusals are one record with a `count`, under the id of the first.',
    'With `audit.success: false` allowed requests are not recorded.',
    ...(filter.request === null ? [] : ['The id may be that of another gateway, or of its upstream.']),
    ...(filter.subjects === null && filter.addresses === null
      ? []
      : ['Where `audit.pseudonymize` is set, --config is needed to search by subject or address.']),
  ]
  return hints.join(' ')
}
