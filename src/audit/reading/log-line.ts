import { isUtf8 } from 'node:buffer'
import { linkOf } from '../format/chain.ts'

/** A line of a log, read. */
export interface LogLine {
  readonly seq: number
  readonly prev: string
  /** The JSON object that it is. */
  readonly record: Readonly<Record<string, unknown>>
}

/** null: it is no line as the writer writes them. Whether it is the one that belongs there is another question. */
export function parseLogLine(line: Buffer): LogLine | null {
  const link = linkOf(line)
  if (link === null || !isUtf8(line)) return null
  try {
    const record: unknown = JSON.parse(line.toString('utf8'))
    return typeof record === 'object' && record !== null ? { ...link, record: record as Record<string, unknown> } : null
  } catch {
    return null
  }
}

/** A member that is a text; null: absent, or something else. */
export function textOf(record: Readonly<Record<string, unknown>>, name: string): string | null {
  const value = Object.hasOwn(record, name) ? record[name] : null
  return typeof value === 'string' ? value : null
}

/** A member that is a whole number; null: absent, or something else. */
export function countOf(record: Readonly<Record<string, unknown>>, name: string): number | null {
  const value = Object.hasOwn(record, name) ? record[name] : null
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : null
}
