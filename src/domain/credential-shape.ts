/** How base64url of a JSON object begins: `{"`, or `{` and white space. */
const OBJECT = /e(?:y[JA]|w[o0k])/
const API_KEY = /pgk(?:_|%5f)/i
/** A compact token, from its first character on; the look-behind keeps the search linear in the text. */
const TOKEN = /(?<![\w.-])[\w-]+(?:\.[\w-]+)+/g

/**
 * Finds credentials that this gateway would take, wherever they stand in a text: an API key, or a token of a trusted issuer. A token of anybody else
 * is none of ours and stays. Linear in the length of the text, which the client chooses.
 */
export class CredentialShape {
  readonly #issuers: ReadonlySet<string>

  constructor(issuers: Iterable<string>) {
    this.#issuers = new Set(issuers)
  }

  isIn(text: string): boolean {
    if (text.length < 4) return false
    if (API_KEY.test(text)) return true
    return mayHoldToken(text) && (text.match(TOKEN) ?? []).some((token) => this.#issuers.has(issuerOf(token)))
  }
}

/** A text without what looks like an API key or a token of whatever issuer: for what is written down. */
export function redactCredentials(text: string): string {
  if (!API_KEY.test(text) && !mayHoldToken(text)) return text
  return text.replace(/pgk(?:_|%5f)[\w-]*/gi, '[credential]').replace(TOKEN, (token) => (isToken(token) ? '[credential]' : token))
}

function mayHoldToken(text: string): boolean {
  return text.includes('.ey') || text.includes('.ew')
}

function isToken(text: string): boolean {
  return text
    .split('.')
    .some((part, index, parts) => index > 0 && OBJECT.test(part.slice(0, 3)) && OBJECT.test(parts[index - 1] ?? ''))
}

/** `iss` of the first part that follows a header and is a JSON object; empty when there is none. Nothing is verified. */
function issuerOf(token: string): string {
  const parts = token.split('.')
  for (let index = 1; index < parts.length; index += 1) {
    if (!OBJECT.test(parts[index]?.slice(0, 3) ?? '') || !OBJECT.test(parts[index - 1] ?? '')) continue
    const issuer = readIssuer(parts[index] ?? '')
    if (issuer !== '') return issuer
  }
  return ''
}

function readIssuer(part: string): string {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll('-', '+').replaceAll('_', '/')), (character) => character.charCodeAt(0))
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof claims === 'object' && claims !== null && 'iss' in claims && typeof claims.iss === 'string' ? claims.iss : ''
  } catch {
    return ''
  }
}
