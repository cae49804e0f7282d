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

/** Warning: a network of trusted proxies that is everyone. */
export const notEveryoneTrusted: Rule = ({ source, sections }) =>
  (sections.server.values.trustedProxies ?? []).flatMap((network, index) =>
    network.endsWith('/0')
      ? [source.finding(['server', 'trustedProxies', index], 'trusts every sender to name its own address; name your proxies')]
      : [],
  )
