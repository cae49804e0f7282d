import { IdentityError } from './identity-error.ts'

/** Headers as a plain record; names in any case. */
type HeaderRecord = Readonly<Record<string, string | readonly string[] | undefined>>

/** Fetch `Headers`, as far as it is needed. */
interface FetchHeaders {
  get(name: string): string | null
}

/** A request of plain Node, Express, Fastify or Fetch, as far as it is needed. */
export interface HeaderCarrier {
  readonly headers: HeaderRecord | FetchHeaders
  /** Of Node: names and values alternating, repeated ones still apart. */
  readonly rawHeaders?: readonly string[]
  /** Fastify keeps Node's request here. */
  readonly raw?: { readonly rawHeaders?: readonly string[] }
}

export type HeaderSource = HeaderCarrier | HeaderRecord | FetchHeaders

/** What one request carries, and as which kind of token it must be read. */
export interface Carried {
  readonly text: string
  readonly transaction: boolean
}

const TRANSACTION_HEADER = 'txn-token'
const COMPACT_JWS = /^[\w-]+\.[\w-]+\.[\w-]+$/
/** The gateway writes at most 8192 characters. */
const MAX_LENGTH = 8192

/**
 * The one assertion of a request. A header that is repeated is refused, and so is an assertion beside a Txn-Token: the gateway sends
 * exactly one, so somebody else wrote the other. Says nothing about whether it is genuine.
 *
 * @throws IdentityError `identity-missing` or `identity-invalid`
 */
export function readAssertion(source: HeaderSource, header: string): Carried {
  const name = header.toLowerCase()
  const assertion = single(source, name)
  const transaction = name === TRANSACTION_HEADER ? assertion : single(source, TRANSACTION_HEADER)
  if (name !== TRANSACTION_HEADER && assertion !== null && transaction !== null) {
    throw new IdentityError('identity-invalid', `both ${header} and Txn-Token are present`)
  }
  const text = assertion ?? transaction
  if (text === null) throw new IdentityError('identity-missing', `neither ${header} nor Txn-Token is present`)
  if (text.length > MAX_LENGTH || !COMPACT_JWS.test(text)) throw new IdentityError('identity-invalid', 'not one compact JWS')
  return { text, transaction: transaction !== null }
}

function single(source: HeaderSource, name: string): string | null {
  const values = isCarrier(source) ? carried(source, name) : valuesIn(source, name)
  if (values.length > 1) throw new IdentityError('identity-invalid', `${name} is repeated`)
  return values[0] ?? null
}

/** `headers` may already hide a repetition, by joining or by keeping one; `rawHeaders` cannot. */
function carried({ headers, rawHeaders, raw }: HeaderCarrier, name: string): readonly string[] {
  const pairs = rawHeaders ?? raw?.rawHeaders ?? []
  const repeated = pairs.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length > 1
  if (repeated) throw new IdentityError('identity-invalid', `${name} is repeated`)
  return valuesIn(headers, name)
}

function valuesIn(headers: HeaderRecord | FetchHeaders, name: string): readonly string[] {
  if (isFetchHeaders(headers)) {
    const value = headers.get(name)
    // Repeated values arrive joined by a comma, which no compact JWS contains.
    return value === null ? [] : [value]
  }
  const found: string[] = []
  for (const key of Object.keys(headers)) {
    const value = headers[key]
    if (key.toLowerCase() === name && value !== undefined) found.push(...(typeof value === 'string' ? [value] : value))
  }
  return found
}

function isCarrier(source: HeaderSource): source is HeaderCarrier {
  const { headers } = source as Partial<HeaderCarrier>
  return typeof headers === 'object' && headers !== null && !Array.isArray(headers)
}

function isFetchHeaders(headers: HeaderRecord | FetchHeaders): headers is FetchHeaders {
  return typeof headers.get === 'function'
}
