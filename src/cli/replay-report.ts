import type { Compared } from '../explain/imagined-replay.ts'
import { UNTOLD } from '../explain/imagined-unknown.ts'
import type { RefusalCode } from '../problem/refusals.ts'
import { REFUSALS } from '../problem/refusals.ts'
import { plainText } from './plain-text.ts'
import type { Example, ReplayReport } from './replay-tally.ts'

/** What is believed of every request without being in its record. `compared`: against the configuration of then. */
export function assumptions(compared: boolean): string[] {
  const verified = compared
    ? 'a token or key that was verified is verified again where its provider is declared as before'
    : 'a token or key that was verified is verified again, with the plane that it had, as long as its issuer is declared (--was OLD compares the providers)'
  const settings =
    'apiKeys.header, server.trustedProxies, server.maxBodySize and stores.database are as they were then (--was OLD compares them)'
  return [
    verified,
    ...(compared ? [] : [settings]),
    'limits are not used up, and nothing is revoked where the record does not say so',
    'headers and query, which are not recorded, hold no further credential, and nothing in X-Forwarded-For or Forwarded that is refused',
    'what was not answered 101 was no WebSocket; GET, HEAD and OPTIONS had no body',
  ]
}

/** The report for people: counts, then groups, the most frequent first. */
export function replayText(report: ReplayReport, compared: boolean): string {
  const { decisions, same, different, untold, events, earlier, unreadable } = report
  const lines = [`${counted(decisions, 'decision')}: ${same} same, ${different} different, ${untold} cannot be told`]
  const left = [earlier > 0 ? `${earlier} before --since` : '', events > 0 ? counted(events, 'event') : ''].filter(
    (text) => text !== '',
  )
  if (left.length > 0) lines.push(`Left out: ${left.join(', ')}`)
  if (unreadable.count > 0) lines.push(`${counted(unreadable.count, 'line')} that cannot be read: ${placesText(unreadable)}`)
  const given = ['Taken as given:', ...assumptions(compared).map((assumption) => `  ${assumption}`)]
  const all = [lines, differencesText(report), untoldText(report), given].flat()
  return `${all.map(plainText).join('\n')}\n`
}

function placesText({ count, places }: ReplayReport['unreadable']): string {
  return `${places.join(', ')}${count > places.length ? ', and more' : ''}`
}

function differencesText({ differences, ungrouped }: ReplayReport): string[] {
  if (differences.length === 0) return []
  const width = String(Math.max(differences[0]?.count ?? 0, ungrouped)).length
  const groups = differences.flatMap(({ from, to, count, examples }) => [
    `  ${String(count).padStart(width)}  ${decisionText(from)} -> ${decisionText(to)}  ${routesText(from, to)}`.trimEnd(),
    ...examplesText(examples, width),
  ])
  const rest = ungrouped === 0 ? [] : [`  ${String(ungrouped).padStart(width)}  others, of more kinds than are told apart`]
  return [['', 'Different:'], groups, rest].flat()
}

function untoldText({ untoldReasons }: ReplayReport): string[] {
  if (untoldReasons.length === 0) return ['']
  const width = String(untoldReasons[0]?.count ?? 0).length
  const groups = untoldReasons.flatMap(({ reason, count, examples }) => [
    `  ${String(count).padStart(width)}  ${reason}: ${UNTOLD[reason]}`,
    ...examplesText(examples, width),
  ])
  return ['', 'Cannot be told:', ...groups, '']
}

function decisionText({ decision, code }: Omit<Compared, 'rule'>): string {
  if (decision === null) return 'whatever its credential gets'
  if (decision === 'allow') return 'allow'
  const status = code !== null && Object.hasOwn(REFUSALS, code) ? REFUSALS[code as RefusalCode].status : ''
  return `${status} ${code ?? 'deny'}`.trim()
}

function routesText(from: Omit<Compared, 'rule'>, to: Compared): string {
  const moved = from.route === to.route ? (to.route ?? '') : `${from.route ?? 'no route'} -> ${to.route ?? 'no route'}`
  const place = to.rule === null ? '' : ` (${to.rule})`
  return moved === '' ? '' : `by ${moved}${place}`
}

function examplesText(examples: readonly Example[], width: number): string[] {
  return examples.map(({ requestId, method, path }) =>
    `  ${' '.repeat(width)}    ${requestId}  ${method} ${path ?? '(no path)'}`.trimEnd(),
  )
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
