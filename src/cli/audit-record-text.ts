import { countOf, textOf } from '../audit/reading/log-line.ts'
import { reasonOf } from '../problem/reasons.ts'
import { plainJson, plainText } from './plain-text.ts'

type Fields = Readonly<Record<string, unknown>>

export const COLUMNS = ['TIME', 'REQUEST', 'DECISION', 'WHAT', 'STATUS', 'ROUTE', 'WHO'] as const

/** A record as a row of a table. */
export function recordRow(record: Fields): string[] {
  const text = (name: string) => textOf(record, name)
  const event = text('event')
  const decision = [text('decision') ?? event, text('code')].filter((part) => part !== null).join(' ')
  const reason = text('reason')
  const count = countOf(record, 'count')
  return [
    text('time') ?? '',
    text('requestId') ?? text('changeId') ?? '',
    `${decision}${reason === null ? '' : ` (${reason})`}${count === null ? '' : ` x${count}`}`,
    event === 'change'
      ? changeText(record)
      : [text('method'), text('path') ?? text('stream')].filter((part) => part !== null).join(' '),
    String(countOf(record, 'status') ?? ''),
    text('route') ?? '',
    text('by') ?? whoText(record),
  ].map(plainText)
}

/** One line: what `tail` prints. */
export function recordLine(record: Fields): string {
  return `${recordRow(record)
    .filter((cell) => cell !== '')
    .join('  ')}\n`
}

/** Everything about one record, for whoever has to explain it. */
export function recordBlock(seq: number, record: Fields): string {
  const text = (name: string) => textOf(record, name)
  const rows: readonly (readonly [string, string | null])[] = text('decision') === null ? eventRows(record) : decisionRows(record)
  const reason = text('reason')
  const known = reason === null ? null : reasonOf(text('code'), reason)
  const count = countOf(record, 'count')
  const all = [
    ...rows,
    ['why', reason === null ? null : `${reason}${known === null ? '' : `: ${known.means}`}`],
    ['to do', known?.remedy ?? null],
    [
      'count',
      count === null
        ? null
        : `${count} ${text('event') === 'shed' ? 'records could not be kept' : 'refusals of this kind are this one record'}`,
    ],
    ['line', `${seq} of the log`],
  ] as const
  return all
    .flatMap(([name, value]) => (value === null || value === '' ? [] : [`${name.padEnd(8)}  ${plainText(value)}\n`]))
    .join('')
}

function decisionRows(record: Fields): (readonly [string, string | null])[] {
  const text = (name: string) => textOf(record, name)
  const duration = typeof record.durationMs === 'number' ? ` after ${record.durationMs} ms` : ''
  const plane = text('plane')
  const upstream = text('upstream')
  return [
    ['request', text('requestId')],
    ['when', text('time')],
    ['what', `${text('method') ?? ''} ${text('host') ?? ''}${text('path') ?? ' (no readable path)'}`],
    ['answer', `${countOf(record, 'status') ?? ''} ${text('code') ?? ''}`.trim() + duration],
    ['decision', text('decision')],
    [
      'route',
      text('route') === null
        ? 'none'
        : `${text('route')}${plane === null ? '' : `, ${plane}`}${upstream === null ? '' : `, upstream ${upstream}`}`,
    ],
    ['who', whoText(record) || 'nobody that is known'],
    ['scopes', listText(record.scopes)],
    ['roles', listText(record.roles)],
    ['with', credentialText(record)],
    ['from', [text('clientIp'), text('userAgent')].filter((part) => part !== null).join(', ')],
  ]
}

function eventRows(record: Fields): (readonly [string, string | null])[] {
  const text = (name: string) => textOf(record, name)
  return [
    ['request', text('requestId')],
    ['change', text('changeId')],
    ['when', text('time')],
    ['event', [text('event'), text('stream'), text('code')].filter((part) => part !== null).join(' ')],
    ['what', text('event') === 'change' ? changeText(record) : null],
    ['by', text('by')],
    ['route', text('route')],
    ['with', credentialText(record)],
  ]
}

function whoText(record: Fields): string {
  const [subject, issuer, actor] = ['subject', 'issuer', 'actor'].map((name) => textOf(record, name))
  if (subject === null || subject === undefined) return actor ?? ''
  return `${subject}${issuer ? ` of ${issuer}` : ''}${actor ? ` (${actor})` : ''}`
}

function credentialText(record: Fields): string | null {
  const { credential } = record
  if (typeof credential !== 'object' || credential === null) return null
  const [kind, id] = [textOf(credential as Fields, 'kind'), textOf(credential as Fields, 'id')]
  const session = textOf(record, 'session')
  return `${kind ?? 'a credential'}${id === null ? '' : ` ${id}`}${session === null ? '' : `, session ${session}`}`
}

function changeText(record: Fields): string {
  const { what } = record
  const parts = typeof what === 'object' && what !== null ? Object.entries(what).filter(([, value]) => value !== null) : []
  const words = parts.map(([name, value]) => `${name} ${inWords(value)}`)
  return [textOf(record, 'action') ?? '', ...words].join(', ')
}

function listText(value: unknown): string | null {
  return Array.isArray(value) && value.length > 0 ? value.map(inWords).join(' ') : null
}

function inWords(value: unknown): string {
  return typeof value === 'string' ? value : plainJson(value)
}
