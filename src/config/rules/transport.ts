import type { Finding } from '../finding.ts'
import { plainHttp } from '../network-values.ts'
import type { Path } from '../source.ts'
import type { Rule } from './rule.ts'

/** Issuers, key sets, anchors and public origins speak TLS: plain `http:` only on loopback, and never in production. */
export const plainHttpStaysLocal: Rule = (draft) => {
  const { environment, publicOrigin } = draft.top.values
  const written: [Path, string | undefined][] = [
    [['publicOrigin'], publicOrigin],
    [['identity', 'issuer'], draft.sections.identity.values.issuer],
  ]
  const { anchor } = draft.sections.audit.values
  if (anchor !== undefined && 'url' in anchor) written.push([['audit', 'anchor', 'url'], anchor.url])
  for (const { path, values } of draft.providers) {
    written.push([[...path, 'issuer'], values.issuer])
    if (values.jwks !== undefined && 'url' in values.jwks) written.push([[...path, 'jwks', 'url'], values.jwks.url])
  }
  return written.flatMap(([path, url]): Finding[] => {
    const kind = url === undefined ? 'no' : plainHttp(url)
    if (kind === 'no' || (kind === 'loopback' && environment !== 'production')) return []
    const reason = environment === 'production' ? 'is refused in production' : 'is accepted on loopback only'
    return [draft.source.finding(path, `plain http: ${reason}; write https:`)]
  })
}
