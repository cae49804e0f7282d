import { foldHeaderName } from '../domain/header-name.ts'

const REDACTED = '[redacted]'

/** Folded names whose value is never written, wherever it stands. */
const SECRET_NAMES = [
  ...['authorization', 'proxy-authorization', 'cookie', 'set-cookie', 'x-api-key', 'api-key', 'apikey', 'rawheaders'],
  ...['token', 'access-token', 'accesstoken', 'refresh-token', 'refreshtoken', 'id-token', 'idtoken', 'txn-token', 'jwt'],
  ...['assertion', 'client-assertion', 'x-planegate-assertion', 'secret', 'client-secret', 'password', 'private-key'],
]
const DEEPEST = 6

/** A compact JWS, an API key, credentials of a scheme (but not two words of prose), or a password in a URL, wherever they stand in a line. */
const SECRET_TEXT =
  /(?<![\w-])eyJ[\w-]{6,}\.[\w-]*(?:\.[\w-]*)?|pgk_[\w-]+|\b(?:Bearer|Basic|Digest|ApiKey) +(?=\S*[\d=+/]|\S{20})[\w+/=.~-]{6,}|(?<=:\/\/)[^\s/:@"]*:[^\s/@"]+(?=@)/gi

/** Takes out of a finished log line what looks like a credential: the last net, for secrets inside of messages. */
export function redactText(line: string): string {
  return line.replace(SECRET_TEXT, REDACTED)
}

/** Makes what is to be logged safe by the names in it. Errors keep class, code, message and stack; what hangs on them is left out. */
export function redactor(headers: readonly string[]): (fields: Record<string, unknown>) => Record<string, unknown> {
  const secret = new Set([...SECRET_NAMES, ...headers.map(foldHeaderName)])

  function safe(value: unknown, depth: number): unknown {
    if (typeof value === 'function' || typeof value === 'symbol') return undefined
    if (typeof value !== 'object' || value === null) return value
    if (value instanceof Error) return errorFields(value)
    if (depth > DEEPEST) return '[deeper]'
    if (Array.isArray(value)) return value.map((item) => safe(item, depth + 1))
    if (isPlain(value)) return safeFields(value, depth)
    // An instance may hold anything, a request with its headers above all. Dates, URLs and the like say themselves what they are.
    return value instanceof Date || value instanceof URL ? value.toJSON() : `[${value.constructor?.name ?? 'object'}]`
  }

  function safeFields(fields: object, depth: number): Record<string, unknown> {
    const kept: Record<string, unknown> = {}
    for (const [name, value] of Object.entries(fields))
      kept[name] = secret.has(foldHeaderName(name)) ? REDACTED : safe(value, depth + 1)
    return kept
  }

  return (fields) => safeFields(fields, 0)
}

/** What may be told of an error: class, code, message, stack, and the same of its cause. */
export function errorFields(error: Error, withStack = true): Record<string, unknown> {
  const fields: Record<string, unknown> = { type: error.constructor.name }
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) fields.code = error.code
  fields.message = error.message
  if (withStack && error.stack !== undefined) fields.stack = error.stack
  if (error.cause instanceof Error) fields.cause = errorFields(error.cause, false)
  return fields
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
