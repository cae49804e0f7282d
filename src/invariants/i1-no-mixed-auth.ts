import type { HeaderClassifier } from '../domain/header-class.ts'
import { Refusal } from '../problem/refusal.ts'

/** What a request carries, after I1 found it to be at most one credential. */
export interface Carried {
  /** Value of the one `Authorization` header; null when there is none. */
  readonly authorization: string | null
  /** Value of the one API key header; null when there is none. */
  readonly apiKey: string | null
  /** 0 or 1. 1 with both values null: it came by a carrier that is never read (query, other spelling, other header). */
  readonly count: number
}

const API_KEY_PREFIX = /^\s*pgk_/i
const FURTHER_CREDENTIAL = /,\s*(?:bearer\s|pgk_)/gi
const OURS_IN_PROXY_AUTHORIZATION = /^\s*(?:bearer\s|pgk_)/i

/**
 * I1 `no_mixed_auth`: one request carries a JWT or an API key, never both, never two of either.
 *
 * Counted over all carriers on the raw headers, before anything is dropped: Node's header object keeps the first of two `Authorization` lines
 * and says nothing. `queryCredentials` is the count found in the query. Bodies are not looked into; nothing in them is ever read as a credential.
 */
export function noMixedAuth(
  rawHeaders: readonly string[],
  classify: HeaderClassifier,
  apiKeyHeader: string,
  queryCredentials: number,
): Carried {
  let count = queryCredentials
  let authorization: string | null = null
  let apiKey: string | null = null
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    switch (classify(name)) {
      case 'credential':
        count += 1 + (value.match(FURTHER_CREDENTIAL)?.length ?? 0)
        if (name.toLowerCase() === 'authorization') authorization = value
        break
      case 'api-key':
        count += 1 + (value.match(/,/g)?.length ?? 0)
        if (name.toLowerCase() === apiKeyHeader) apiKey = value
        break
      case 'proxy-credential':
        // Meant for another hop, unless it carries what we would take: then it is a second credential.
        if (OURS_IN_PROXY_AUTHORIZATION.test(value)) count += 1
        break
      default:
        if (API_KEY_PREFIX.test(value)) count += 1
    }
  }
  if (count > 1) throw new Refusal('credential-ambiguous', 'several-credentials')
  return { authorization, apiKey, count }
}
