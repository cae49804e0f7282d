import { stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { listSegments } from '../audit/format/segments.ts'
import { readLines } from '../audit/reading/segment-lines.ts'
import { type PastDecision, pastDecision } from '../explain/imagined-record.ts'
import { CommandFailure } from './command-failure.ts'

/** One line of a log: a decision, something else that the log holds, or nothing that can be read. */
export type LoggedLine =
  | { readonly kind: 'decision'; readonly decision: PastDecision }
  | { readonly kind: 'event' }
  | { readonly kind: 'unreadable'; readonly place: string }

/** The files of a log, in the order in which they were written. Throws `CommandFailure` where there is none. */
export async function logFiles(log: string): Promise<string[]> {
  try {
    const found = await stat(log)
    if (found.isFile()) return [log]
    if (!found.isDirectory()) throw new CommandFailure(`${log} is neither a folder nor a regular file`)
    const { segments } = await listSegments(log)
    if (segments.length === 0) throw new CommandFailure(`${log} holds no audit-*.jsonl`)
    return segments.map(({ file }) => join(log, file))
  } catch (error) {
    throw unreadable(log, error)
  }
}

/** Line by line, in bounded memory. Throws `CommandFailure` where the file cannot be read to its end. */
export async function* loggedLines(file: string): AsyncGenerator<LoggedLine> {
  let number = 0
  try {
    if (!(await stat(file)).isFile()) throw new CommandFailure(`${file} is no regular file`)
    for await (const { line, whole } of readLines(file)) {
      number += 1
      yield (whole ? readLine(line) : null) ?? { kind: 'unreadable', place: `${basename(file)}:${number}` }
    }
  } catch (error) {
    throw unreadable(file, error)
  }
}

/** null: torn, or written by nobody that is known. */
function readLine(line: Buffer): LoggedLine | null {
  let record: unknown
  try {
    record = JSON.parse(line.toString('utf8'))
  } catch {
    return null
  }
  if (typeof record !== 'object' || record === null) return null
  if ('event' in record) return { kind: 'event' }
  const decision = pastDecision(record as Readonly<Record<string, unknown>>)
  return decision === null ? null : { kind: 'decision', decision }
}

function unreadable(file: string, error: unknown): CommandFailure {
  if (error instanceof CommandFailure) return error
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
  return new CommandFailure(`${file} cannot be read (${code})`)
}
