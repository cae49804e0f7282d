import { foldHeaderName } from './header-name.ts'

/**
 * What a request header means to the gateway, whatever its spelling:
 * `credential` and `api-key` carry credentials, `proxy-credential` one for another hop; `identity` speaks about who the client is, which only
 * the gateway may do; `forwarded` tells where the request came from and is rebuilt; `routing` would make a server behind see another
 * path, method or host; `connection`, `hop` and `framing` belong to this connection; `trace` is kept only when well formed; `host` and `cookie` have rules of their own.
 */
export type HeaderClass =
  | 'plain'
  | 'credential'
  | 'api-key'
  | 'proxy-credential'
  | 'identity'
  | 'forwarded'
  | 'routing'
  | 'connection'
  | 'hop'
  | 'framing'
  | 'host'
  | 'cookie'
  | 'trace'

/** Class of a header by its name as received. */
export type HeaderClassifier = (name: string) => HeaderClass

/** Names; `x-*` stands for `x` and every name that goes on with a mark after it, `x*` for any ending. */
const NAMES: Readonly<Partial<Record<HeaderClass, readonly string[]>>> = {
  credential: ['authorization', 'x-authorization', 'http-authorization'],
  'api-key': ['x-api-key', 'api-key', 'apikey'],
  'proxy-credential': ['proxy-authorization'],
  identity: [
    'txn-token',
    'x-planegate-*',
    'x-identity-*',
    'x-auth-*',
    'x-user-*',
    'x-authenticated-*',
    'x-webauth-*',
    'remote-user',
    'remote-name',
    'remote-email',
    'remote-groups',
    'x-remote-*',
    'x-forwarded-user',
    'x-forwarded-email',
    'x-forwarded-groups',
    'x-forwarded-preferred-username',
    'x-forwarded-access-token',
    'x-forwarded-client-cert',
    'x-ssl-*',
    'ssl-*',
    'client-cert',
    'client-cert-chain',
    'x-client-cert*',
    'dpop',
  ],
  forwarded: [
    'forwarded',
    'x-forwarded-*',
    'x-real-ip',
    'x-client-ip',
    'client-ip',
    'remote-addr',
    'remote-host',
    'true-client-ip',
    'x-cluster-client-ip',
    'cf-connecting-ip',
  ],
  // `proxy` becomes the variable HTTP_PROXY in CGI programs, which some clients obey (CVE-2016-5385).
  routing: [
    'proxy',
    'x-original-*',
    'x-rewrite-*',
    'x-http-method',
    'x-http-method-override',
    'x-method-override',
    'x-host',
    'x-envoy-original-path',
    'x-script-name',
  ],
  connection: ['connection'],
  hop: ['keep-alive', 'proxy-connection', 'proxy-authenticate', 'http2-settings', 'te', 'trailer', 'upgrade', 'expect'],
  framing: ['content-length', 'transfer-encoding'],
  host: ['host'],
  cookie: ['cookie', 'cookie2'],
  trace: ['x-request-id', 'traceparent'],
}

const REMEMBERED = 2_000

/**
 * Compiles the table. `apiKeyHeader` and `identityHeaders` come from configuration (`*` allowed at the end of the latter). Names already seen are
 * remembered, up to a bound that clients cannot push.
 */
export function headerClassifier(options: { apiKeyHeader: string; identityHeaders: readonly string[] }): HeaderClassifier {
  const exact = new Map<string, HeaderClass>()
  const prefixes: [string, HeaderClass][] = []
  const add = (pattern: string, kind: HeaderClass) => {
    const stem = pattern.endsWith('*') ? pattern.slice(0, -1) : pattern
    const folded = foldHeaderName(stem)
    if (stem !== pattern) prefixes.push([/[a-z0-9]$/i.test(stem) ? folded : `${folded}-`, kind])
    if (!exact.has(folded)) exact.set(folded, kind)
  }
  add(options.apiKeyHeader, 'api-key')
  for (const name of options.identityHeaders) add(name, 'identity')
  for (const [kind, names] of Object.entries(NAMES) as [HeaderClass, readonly string[]][])
    for (const name of names) add(name, kind)

  const remembered = new Map<string, HeaderClass>()
  return (name) => {
    const known = remembered.get(name)
    if (known !== undefined) return known
    const folded = foldHeaderName(name)
    const kind = exact.get(folded) ?? prefixes.find(([prefix]) => folded.startsWith(prefix))?.[1] ?? 'plain'
    if (remembered.size < REMEMBERED) remembered.set(name, kind)
    return kind
  }
}
