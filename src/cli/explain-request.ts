import { isIP } from 'node:net'
import { requestHead } from '../explain/imagined-request.ts'
import { DEFAULT_CONFIG, parseVerbArguments, UsageError } from './arguments.ts'
import { givenBytes, givenValue } from './given-value.ts'

/** What is to be explained, and how it is to be said. */
export interface ExplainRequest {
  readonly config: string
  readonly json: boolean
  /** The peer's address. */
  readonly address: string
  /** The request as a client would send it. */
  bytes(gateway: { readonly publicOrigin: string; readonly apiKeyHeader: string }): Buffer
}

const OPTIONS = {
  config: { type: 'string', default: DEFAULT_CONFIG },
  json: { type: 'boolean', default: false },
  address: { type: 'string', default: '127.0.0.1' },
  request: { type: 'string' },
  method: { type: 'string' },
  path: { type: 'string' },
  host: { type: 'string' },
  token: { type: 'string' },
  'api-key': { type: 'string' },
  header: { type: 'string', multiple: true },
  upgrade: { type: 'boolean', default: false },
} as const

type Values = ReturnType<typeof parsed>

/** Throws `UsageError`, and `CommandFailure` where a file or standard input cannot be read. */
export function parseExplainRequest(argv: readonly string[], readInput?: () => string): ExplainRequest {
  const values = parsed(argv)
  const { config, json, address, request } = values
  if (isIP(address) === 0) throw new UsageError('--address takes an IP address')
  const standing = { config, json, address }
  if (request === undefined) return { ...standing, bytes: writtenRequest(values, readInput) }
  const surplus = (['method', 'path', 'host', 'token', 'api-key', 'header'] as const).find((name) => values[name] !== undefined)
  if (surplus !== undefined || values.upgrade)
    throw new UsageError(`--request brings the whole request: --${surplus ?? 'upgrade'} has no place beside it`)
  const bytes = rawRequest(request, readInput)
  return { ...standing, bytes: () => bytes }
}

function parsed(argv: readonly string[]) {
  return parseVerbArguments(argv, OPTIONS).values
}

/** A head made of the arguments. They are put in as they are: what a parser refuses is to be explained, too. */
function writtenRequest(values: Values, readInput?: () => string): ExplainRequest['bytes'] {
  const { method, path, host, header = [], upgrade } = values
  if (method === undefined || method === '' || path === undefined || path === '')
    throw new UsageError('explain takes --method M --path P, or --request FILE')
  if (values.token === '-' && values['api-key'] === '-') throw new UsageError('only one value can come from standard input')
  const [token, apiKey] = (['token', 'api-key'] as const).map((name) =>
    values[name] === undefined ? undefined : givenValue(`--${name}`, values[name], readInput),
  )
  for (const line of header) {
    if (!/^[^:]+:/.test(line)) throw new UsageError(`--header takes 'Name: value'`)
  }
  for (const value of [method, path, host, token, apiKey, ...header]) {
    if (/[\r\n]/.test(value ?? '')) throw new UsageError('a value may not hold a line end')
  }
  const headers = header.map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trimStart()] as const)
  return ({ publicOrigin, apiKeyHeader }) => {
    const credentials: [string, string][] = []
    if (token !== undefined) credentials.push(['Authorization', `Bearer ${token}`])
    if (apiKey !== undefined) credentials.push([apiKeyHeader, apiKey])
    const request = { method, target: path, headers, upgrade, ...(host === undefined ? {} : { host }) }
    return Buffer.from(requestHead(request, new URL(publicOrigin).host, credentials))
  }
}

/** Bytes of a request, its body included. */
const LONGEST_REQUEST = 64 * 1024 * 1024

/** A request as text. Editors end lines with LF: where the head has no CRLF at all, they are put in; the body stays as it is. */
function rawRequest(file: string, readInput?: () => string): Buffer {
  const text = givenBytes('--request', file, LONGEST_REQUEST, readInput).toString('latin1')
  const end = text.indexOf('\n\n')
  const head = end === -1 ? text : text.slice(0, end + 2)
  return Buffer.from(head.includes('\r') ? text : head.replaceAll('\n', '\r\n') + text.slice(head.length), 'latin1')
}
