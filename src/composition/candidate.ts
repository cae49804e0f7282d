import { dirname, relative } from 'node:path'
import type { Gateway } from '../config/gateway.ts'
import { type Candidate, type Changes, NO_CHANGES } from '../explain/imagined-candidate.ts'
import { imagine, providersOf } from './imagined.ts'

/**
 * The configuration as it decides recorded requests again. `was`: the one under which they were recorded, null when that is not at hand; then whatever is not
 * a route or an invariant is taken to be as it was.
 */
export function candidateOf(gateway: Gateway, was: Gateway | null): Candidate {
  return {
    ...imagine(gateway),
    apiKeyHeader: gateway.apiKeyHeader,
    asksHosts: gateway.routes.some(({ hosts }) => hosts.length > 0),
    changes: was === null ? NO_CHANGES : changesSince(was, gateway),
  }
}

function changesSince(was: Gateway, gateway: Gateway): Changes {
  const before = termsOf(was)
  const now = termsOf(gateway)
  const sameHeader = was.apiKeyHeader.toLowerCase() === gateway.apiKeyHeader.toLowerCase()
  const proxies = ({ server }: Gateway) => JSON.stringify([...new Set(server.trustedProxies)].sort())
  return {
    issuers: new Set([...now].flatMap(([issuer, terms]) => (sameTerms(before.get(issuer), terms) ? [] : [issuer]))),
    formerApiKeyHeader: sameHeader ? null : was.apiKeyHeader,
    database: !sameTerms(databaseOf(was), databaseOf(gateway)),
    proxies: proxies(was) !== proxies(gateway),
    smallerBodies: gateway.server.maxBodySize < was.server.maxBodySize,
  }
}

/** The same declaration with its file as it stands, and as it lies beside the configuration: a copy of a configuration elsewhere names the same things. */
interface Terms {
  readonly absolute: string
  readonly beside: string
}

function sameTerms(one: Terms | undefined, other: Terms): boolean {
  return one?.absolute === other.absolute || one?.beside === other.beside
}

/**
 * By what a token of each issuer is verified, but for the provider's name; null: API keys. Key files are the same where they lie in the same place: what is
 * in them is not read.
 */
function termsOf(of: Gateway): ReadonlyMap<string | null, Terms> {
  const { retention } = of.revocation
  const providers = providersOf(of).map(({ name: _name, source: _source, keys, ...rest }): [string, Terms] => {
    const terms = (from: unknown) => JSON.stringify([retention, from, rest])
    const beside = keys.from === 'file' ? { ...keys, path: relative(dirname(of.file), keys.path) } : keys
    return [rest.issuer, { absolute: terms(keys), beside: terms(beside) }]
  })
  return new Map<string | null, Terms>([[null, { absolute: of.environment, beside: of.environment }], ...providers])
}

function databaseOf({ stores, file }: Gateway): Terms {
  const { url } = stores.database
  const path = url.replace(/^sqlite:/, '')
  return { absolute: url, beside: path === url ? url : `sqlite:${relative(dirname(file), path)}` }
}
