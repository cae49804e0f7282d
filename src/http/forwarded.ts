import type { IncomingMessage } from 'node:http'
import { plainAddress } from './plain-address.ts'

/** What a proxy says of the way that a request took. */
export interface Reported {
  /** Left to right as reported, the client's first; in their one spelling, where they are addresses at all. */
  readonly addresses: readonly string[]
  readonly proto: 'http' | 'https'
  /** In lower case; undefined: not reported. */
  readonly host: string | undefined
  /** It is not well formed, or two headers name different addresses: the proxy wrote one and passed the client's other one on. */
  readonly contradictory: boolean
}

type Element = Readonly<Record<string, string>>

/** One `name=value` of RFC 7239 section 4 and what ends it. */
const PAIR = /\s*([!#$%&'*+\-.^_`|~\w]+)=("(?:[^"\\]|\\.)*"|[^\s",;]*)\s*([;,]|$)/y

/**
 * Reads `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded`. To be believed only from a trusted proxy.
 */
export function reportedBy({ headers }: Pick<IncomingMessage, 'headers'>): Reported {
  const parsed = headers.forwarded === undefined ? [] : parseForwarded(headers.forwarded)
  const elements = parsed ?? []
  const standard = elements.flatMap((element) => element.for ?? []).map(plainAddress)
  const usual = listOf(headers['x-forwarded-for']).map(plainAddress)
  return {
    addresses: usual.length > 0 ? usual : standard,
    proto:
      (listOf(headers['x-forwarded-proto']).at(-1) ?? lastOf(elements, 'proto'))?.toLowerCase() === 'https' ? 'https' : 'http',
    host: (listOf(headers['x-forwarded-host']).at(-1) ?? lastOf(elements, 'host'))?.toLowerCase(),
    contradictory: parsed === null || (standard.length > 0 && usual.length > 0 && standard.join() !== usual.join()),
  }
}

/** null: not well formed, so that none of it counts. */
function parseForwarded(text: string): Element[] | null {
  const elements: Record<string, string>[] = [{}]
  PAIR.lastIndex = 0
  while (PAIR.lastIndex < text.length) {
    const match = PAIR.exec(text)
    if (match === null) return null
    const [, name = '', value = '', end] = match
    const element = elements.at(-1)
    if (element !== undefined)
      element[name.toLowerCase()] = value.startsWith('"') ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value
    if (end === ',') elements.push({})
  }
  return elements
}

function lastOf(elements: readonly Element[], name: string): string | undefined {
  return elements.findLast((element) => element[name] !== undefined)?.[name]
}

function listOf(header: string | string[] | undefined): string[] {
  if (header === undefined) return []
  return String(header)
    .split(',')
    .map((item) => item.trim())
}
