import type { CredentialShape } from './credential-shape.ts'
import { foldHeaderName } from './header-name.ts'

/** A query with the credentials taken out of it, and how many there were. */
export interface QueryReading {
  readonly query: string
  readonly credentials: number
}

const NAMES = new Set(['access-token', 'api-key', 'apikey', 'x-api-key', 'authorization'])
/** Anything that could hide a name, or a credential as a value: else the query is untouched and costs one test. */
const SUSPECT = /[%+]|token|key|pgk|authorization|\.e/i

/**
 * Finds credentials in a query: `access_token` (RFC 6750 section 2.3) and `api_key` in any spelling that some server would fold to them, and
 * anything that holds an API key or a token of a trusted issuer. They are never read, only counted and removed. Other parameters keep their bytes and order.
 */
export function withoutCredentials(query: string, shape: CredentialShape): QueryReading {
  if (!SUSPECT.test(query)) return { query, credentials: 0 }
  let credentials = 0
  let kept = ''
  // Some servers split at `;` as well: each piece keeps the separator that stood before it.
  for (const piece of query.match(/[&;]?[^&;]*/g) ?? []) {
    if (piece === '') continue
    if (isCredential(piece.replace(/^[&;]/, ''), shape)) credentials += 1
    else kept += kept === '' ? piece.replace(/^[&;]/, '') : piece
  }
  return credentials === 0 ? { query, credentials } : { query: kept, credentials }
}

function isCredential(parameter: string, shape: CredentialShape): boolean {
  const equals = parameter.indexOf('=')
  const name = decoded(equals === -1 ? parameter : parameter.slice(0, equals))
  const value = equals === -1 ? '' : decoded(parameter.slice(equals + 1))
  // PHP trims, folds marks to `_`, and cuts at `[` and at NUL.
  return NAMES.has(foldHeaderName(name.split(/[[\0]/)[0] ?? '')) || shape.isIn(value) || shape.isIn(name)
}

/** Decoded as a form would be; twice, because a name hidden under two encodings is hidden from us and not from everyone. */
function decoded(text: string): string {
  let current = text.replaceAll('+', ' ')
  for (let round = 0; round < 2 && current.includes('%'); round += 1) {
    current = current.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return current
}
