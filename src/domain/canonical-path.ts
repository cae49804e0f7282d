/** Why a path has no single reading. */
export type PathAmbiguity =
  | 'encoded-separator'
  | 'backslash'
  | 'dot-segment'
  | 'empty-segment'
  | 'path-parameter'
  | 'control-character'
  | 'double-encoding'
  | 'invalid-encoding'
  | 'look-alike'

export type CanonicalPath = { readonly path: string } | { readonly ambiguity: PathAmbiguity }

/** Letters, digits and the marks that need no second look. `.` is handled where a segment starts, `%` where it stands. */
const PLAIN = /^(?:\/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)+\/?$/
/** What is written bare whichever way it came. `+` is not: some servers read a bare one as a space, and none an escaped one. */
const BARE = /[A-Za-z0-9\-._~!$&'()*,=:@]/
const DOT_SEGMENT = /(?:^|\/)\.{1,2}(?=\/|$)/

/**
 * The one reading of a path: what may stand bare in a segment stands bare, everything else as an escape in upper-case hex (RFC 3986 sections 3.3, 6.2.2),
 * so that no two spellings of one path can be routed differently. Whatever some
 * server could read differently is refused instead of repaired: an encoded slash or backslash, dot segments in any spelling, empty segments, `;`,
 * control characters, an escape of an escape, escapes that are not UTF-8, and characters that Unicode normalisation turns into separators.
 * Gives a canonical path back unchanged, so applying it twice is applying it once.
 */
export function canonicalPath(raw: string): CanonicalPath {
  if (raw === '/' || PLAIN.test(raw)) return { path: raw }
  const ambiguity = ambiguityOf(raw)
  if (ambiguity !== null) return { ambiguity }
  return { path: normalizeEscapes(raw) }
}

function ambiguityOf(raw: string): PathAmbiguity | null {
  if (raw.includes('\\')) return 'backslash'
  if (raw.includes('//')) return 'empty-segment'
  if (raw.includes(';')) return 'path-parameter'
  if (/[\x00-\x20\x7f]/.test(raw)) return 'control-character'
  if (/%(?![0-9a-f]{2})/i.test(raw) || /[^\x21-\x7e]|[?#]/.test(raw)) return 'invalid-encoding'
  if (/%(?:2f|5c)/i.test(raw)) return 'encoded-separator'
  if (/%3b/i.test(raw)) return 'path-parameter'
  if (/%(?:[01][0-9a-f]|7f)/i.test(raw)) return 'control-character'
  return ambiguityOfDecoded(raw)
}

function ambiguityOfDecoded(raw: string): PathAmbiguity | null {
  let decoded: string
  try {
    decoded = decodeURIComponent(raw)
  } catch {
    return 'invalid-encoding'
  }
  if (DOT_SEGMENT.test(decoded)) return 'dot-segment'
  // Looked for after decoding, so that `%25%32%66` is seen as what it becomes.
  if (/%(?:[0-9a-f]{2}|u[0-9a-f]{4})/i.test(decoded)) return 'double-encoding'
  if (/[\x80-\x9f\u2028\u2029]/.test(decoded)) return 'control-character'
  // A server that normalises (NFKC) or maps to a legacy code page would see a separator or a dot segment here.
  const folded = decoded.normalize('NFKC')
  const grew = (mark: string) => folded.split(mark).length > decoded.split(mark).length
  if (DOT_SEGMENT.test(folded) || ['/', '\\', ';', '%'].some(grew) || /[\u2215\u2044\u29f8\u2216\u29f5]/.test(decoded))
    return 'look-alike'
  return null
}

/** Decodes what may stand bare, upper-cases the other escapes, and escapes what must not stand bare. */
function normalizeEscapes(raw: string): string {
  return raw.replace(/%[0-9a-f]{2}|[^%]/gi, (piece) => {
    if (piece.length === 1) return piece === '/' || BARE.test(piece) ? piece : escapeOf(piece)
    const character = String.fromCharCode(Number.parseInt(piece.slice(1), 16))
    return BARE.test(character) ? character : piece.toUpperCase()
  })
}

function escapeOf(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
}
