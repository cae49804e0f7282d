import { foldHeaderName } from '../../domain/header-name.ts'
import { databaseUrl } from '../database-url.ts'
import { resolveAdminToken, SecretUnresolved } from '../secret-reference.ts'
import type { Rule } from './rule.ts'

/** Outside development the public origin is written down. */
export const publicOriginWritten: Rule = ({ source, top }) => {
  const { environment, publicOrigin } = top.values
  if (environment === undefined || environment === 'development' || publicOrigin !== undefined || top.broken.has('publicOrigin'))
    return []
  return [source.finding(['publicOrigin'], `is required in ${environment}: an origin such as https://api.example.com`)]
}

/** Development identities exist only in development. */
export const developmentIssuerAtHome: Rule = ({ source, top, sections }) =>
  sections.development.values.issuer === true && top.values.environment !== undefined && top.values.environment !== 'development'
    ? [
        source.finding(
          ['development', 'issuer'],
          'the development issuer exists only where environment is development; write false',
        ),
      ]
    : []

/** The header of the assertion and the header of API keys are two headers to every server behind. */
export const headersDistinct: Rule = ({ source, sections }) => {
  const assertion = sections.identity.values.header
  const apiKey = sections.apiKeys.values.header
  if (assertion === undefined || apiKey === undefined || foldHeaderName(assertion) !== foldHeaderName(apiKey)) return []
  return [source.finding(['identity', 'header'], 'is the same header as apiKeys.header to some servers; choose another name')]
}

/** The two listeners do not want one port of one address. */
export const listenersApart: Rule = ({ source, sections }) => {
  const [one, other] = [sections.server.values, sections.admin.values]
  if (one.port !== other.port || one.port === undefined || one.port === 0) return []
  const hosts = [one.host, other.host].map((host) => (host === 'localhost' ? '127.0.0.1' : host))
  const [first, second] = hosts
  if (first === undefined || second === undefined || !(covers(first, second) || covers(second, first))) return []
  return [source.finding(['admin', 'port'], 'is the port of the public listener on the same address; choose another')]
}

function covers(host: string, other: string): boolean {
  return host === other || host === '::' || (host === '0.0.0.0' && !other.includes(':'))
}

/** More than one process needs state that all of them see. */
export const workersShareState: Rule = ({ source, sections }) => {
  const { workers } = sections.server.values
  if (workers === undefined || workers === 1 || sections.stores.broken.has('redis')) return []
  const message =
    sections.stores.values.redis === undefined
      ? 'more than one process needs stores.redis: each would count limits by itself and admit as many times too many; write 1'
      : 'this version keeps limits and caches in the process even with stores.redis: every limit would be multiplied; write 1'
  return [source.finding(['server', 'workers'], message)]
}

/** Whoever lets requests through during an outage says why. */
export const loosenedHasReason: Rule = ({ source, sections }) => {
  const { revocation, audit } = sections
  const findings = []
  if (revocation.values.onUnavailable === 'allow' && revocation.values.reason === undefined && !revocation.broken.has('reason'))
    findings.push(
      source.finding(
        ['revocation', 'onUnavailable'],
        'allow lets withdrawn credentials in during an outage: add reason: beside it, or write deny',
      ),
    )
  if (audit.values.onUnavailable === 'shed' && audit.values.reason === undefined && !audit.broken.has('reason'))
    findings.push(
      source.finding(
        ['audit', 'onUnavailable'],
        'shed serves requests that are not recorded: add reason: beside it, or write deny',
      ),
    )
  return findings
}

/** A provider whose plane is told by a claim names values for it, each for one side only. */
export const planeValuesDecide: Rule = ({ source, providers }) =>
  providers.flatMap(({ path, values }) => {
    if (values.plane === undefined || typeof values.plane === 'string') return []
    const { human, machine } = values.plane
    if (human.length + machine.length === 0)
      return [source.finding([...path, 'plane'], 'names no value, so every token would be refused: fill human or machine')]
    const both = human.find((value) => machine.includes(value))
    return both === undefined
      ? []
      : [source.finding([...path, 'plane', 'human'], `${both} also stands under machine; a value decides for one side`)]
  })

/** The database is one that this version can serve. */
export const databaseServable: Rule = ({ source, sections, env }) => {
  const url = sections.stores.values.database?.url
  if (url === undefined) return []
  const reading = databaseUrl(url, source, env)
  return 'problem' in reading ? [source.finding(['stores', 'database', 'url'], reading.problem)] : []
}

/** An admin token that is already there is long enough. One that is not there is the concern of `serve`. */
export const adminTokenLong: Rule = ({ source, sections, env }) => {
  const { token } = sections.admin.values
  if (token === undefined || !('env' in token) || env[token.env] === undefined) return []
  try {
    resolveAdminToken(token, env)
    return []
  } catch (error) {
    if (!(error instanceof SecretUnresolved)) throw error
    return [source.finding(['admin', 'token'], error.message)]
  }
}

/** Warning: a shared store that nothing uses yet. */
export const redisUnused: Rule = ({ source, sections }) =>
  sections.stores.values.redis === undefined
    ? []
    : [source.finding(['stores', 'redis'], 'is not used by this version: limits and caches are kept in the one process', 'key')]

/** Warning: a log whose end can be cut off unseen, where that would matter. */
export const auditSigned: Rule = ({ source, sections, top }) =>
  top.values.environment === 'development' || sections.audit.values.key !== undefined || sections.audit.broken.has('key')
    ? []
    : [
        source.finding(
          ['audit', 'key'],
          'is missing, so nothing shows when the end of the log is cut off: write key: { file: ./keys/audit.pem } (openssl genpkey -algorithm ed25519 -out keys/audit.pem)',
          'key',
        ),
      ]

/** Warning: a network of trusted proxies that is everyone, or so wide that nobody owns it. */
export const notEveryoneTrusted: Rule = ({ source, sections }) =>
  (sections.server.values.trustedProxies ?? []).flatMap((network, index) => {
    const finding = (message: string) => [source.finding(['server', 'trustedProxies', index], `${message}; name your proxies`)]
    if (network.endsWith('/0')) return finding('trusts every sender to name its own address')
    return isWide(network)
      ? finding('is wider than any network of one operator, and trusts all in it to name their own address')
      : []
  })

/** IPv4 from /7, IPv6 from /15: wider than the widest networks that are private or handed out. */
function isWide(network: string): boolean {
  const [address = '', prefix = '128'] = network.split('/')
  const bits = Number(prefix)
  if (!address.includes(':')) return bits <= 7
  return bits <= 15 || (/^(0*:){1,5}:?ffff:/i.test(address) && bits >= 96 && bits <= 103)
}
