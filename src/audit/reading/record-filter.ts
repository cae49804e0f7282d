import { textOf } from './log-line.ts'

/** Which records are wanted; what is null does not matter. Everything that is not null must hold. */
export interface RecordFilter {
  readonly request: string | null
  /** Any of these: a subject as it is, and its pseudonym. */
  readonly subjects: readonly string[] | null
  readonly addresses: readonly string[] | null
  readonly code: string | null
  readonly route: string | null
  /** Milliseconds since the epoch, both included. */
  readonly since: number | null
  readonly until: number | null
}

type Fields = Readonly<Record<string, unknown>>

/** The log's words about itself, which say nothing about a request or a change. */
const BOOKKEEPING: ReadonlySet<string> = new Set(['segment', 'checkpoint', 'compressed'])

/** Finds wanted records without parsing most of the others. */
export class RecordMatcher {
  readonly #filter: RecordFilter
  /** Of each group one text is in every line that is wanted. */
  readonly #groups: readonly (readonly Buffer[])[]

  constructor(filter: RecordFilter) {
    this.#filter = filter
    const { request, subjects, addresses, code, route } = filter
    const wanted = [
      request === null ? null : [request],
      subjects,
      addresses,
      code === null ? null : [code],
      route === null ? null : [route],
    ]
    this.#groups = wanted.flatMap((values) =>
      values === null ? [] : [values.map((value) => Buffer.from(JSON.stringify(value)))],
    )
  }

  /** False: the line is not wanted. True: it may be. */
  mayBe(line: Buffer): boolean {
    return this.#groups.every((texts) => texts.some((text) => line.includes(text)))
  }

  matches(record: Fields): boolean {
    const { request, subjects, addresses, code, route, since, until } = this.#filter
    if (BOOKKEEPING.has(textOf(record, 'event') ?? '')) return false
    const is = (name: string, value: string | null) => value === null || textOf(record, name) === value
    if (!is('requestId', request) || !is('code', code) || !is('route', route)) return false
    if (subjects !== null && !subjectsOf(record).some((subject) => subjects.includes(subject))) return false
    if (addresses !== null && !addresses.includes(textOf(record, 'clientIp') ?? '')) return false
    if (since === null && until === null) return true
    const time = Date.parse(textOf(record, 'time') ?? '')
    return time >= (since ?? Number.NEGATIVE_INFINITY) && time <= (until ?? Number.POSITIVE_INFINITY)
  }
}

/** Who a request came from; whose tokens were revoked; whose key was made. */
function subjectsOf(record: Fields): string[] {
  const what = typeof record.what === 'object' && record.what !== null ? (record.what as Fields) : {}
  return [textOf(record, 'subject'), textOf(what, 'subject'), textOf(what, 'owner')].filter((subject) => subject !== null)
}
