/** What is wrong with JSON that has more than one reading, or is no object. */
export type JsonFault =
  | 'not-utf8'
  | 'not-json'
  | 'not-an-object'
  | 'too-deep'
  | 'duplicate-member'
  | 'unsafe-member'
  | 'malformed-text'
  | 'number-out-of-range'

/** JSON that two readers could understand differently, or that is no JSON object. */
export class JsonRejection extends Error {
  override readonly name = 'JsonRejection'
  readonly reason: JsonFault

  constructor(reason: JsonFault) {
    super(reason)
    this.reason = reason
  }
}

/** Nested arrays and objects, the outermost included. Tokens and key sets in use need fewer than ten. */
const MAX_DEPTH = 32

// `ignoreBOM` keeps a byte order mark in the text, where JSON.parse then refuses it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * What parsed objects are made of: no `constructor` or `toString` to be found by a claim's name, and, other than an object without
 * any prototype, kept by V8 in its compact form. A session's claims stay in memory until its token expires, so the size counts.
 */
class Members {
  [name: string]: unknown
}
Reflect.deleteProperty(Members.prototype, 'constructor')
Object.freeze(Object.setPrototypeOf(Members.prototype, null))

/**
 * Reads one JSON object from bytes so that no second reader can see something else in it: strict UTF-8 without a byte order mark, no
 * member name twice at any depth (RFC 7515 section 4 and RFC 7519 section 4 allow refusing them; two parsers keep different ones),
 * no unpaired surrogates (all of them become one replacement character, so two subjects would become one), no number that overflows.
 * The result and everything in it is frozen. Throws `JsonRejection`.
 */
export function parseStrictJson(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const text = decode(bytes)
  const value = parse(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new JsonRejection('not-an-object')
  checkMembers(text)
  return frozen(value) as Readonly<Record<string, unknown>>
}

function decode(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes)
  } catch {
    throw new JsonRejection('not-utf8')
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new JsonRejection('not-json')
  }
}

/** Walks text that is known to be JSON. A string is a member's name exactly if a colon follows it. */
function checkMembers(text: string): void {
  const open: Set<string>[] = []
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at]
    if (character === '{' || character === '[') {
      if (open.push(new Set()) > MAX_DEPTH) throw new JsonRejection('too-deep')
    } else if (character === '}' || character === ']') {
      open.pop()
    } else if (character === '"') {
      const end = endOfString(text, at)
      if (isFollowedByColon(text, end)) addName(open.at(-1), JSON.parse(text.slice(at, end)))
      at = end - 1
    }
  }
}

/** Names are compared as they are meant, escapes resolved: `\u0069ss` is `iss`. */
function addName(names: Set<string> | undefined, name: string): void {
  if (names === undefined || names.has(name)) throw new JsonRejection('duplicate-member')
  // Harmless here, but the first `Object.assign` elsewhere would turn it into a prototype.
  if (name === '__proto__') throw new JsonRejection('unsafe-member')
  names.add(name)
}

/** Index after the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at + 1
}

function isFollowedByColon(text: string, from: number): boolean {
  let at = from
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at += 1
  return text[at] === ':'
}

function frozen(value: unknown): unknown {
  if (typeof value === 'string' && !value.isWellFormed()) throw new JsonRejection('malformed-text')
  if (typeof value === 'number' && !Number.isFinite(value)) throw new JsonRejection('number-out-of-range')
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return Object.freeze(value.map(frozen))
  const members = new Members()
  for (const [name, member] of Object.entries(value)) members[name] = frozen(member)
  return Object.freeze(members)
}
