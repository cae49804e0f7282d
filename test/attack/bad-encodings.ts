import { randomBytes } from 'node:crypto'
import { type BadToken, goodClaims, goodHeader, type TokenContext } from './bad-tokens.ts'
import { forged, part, signature } from './forge.ts'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'

/** Tokens whose fault is how they are written. */
export function encodingAttacks(context: TokenContext): BadToken[] {
  const key = context.keys.RS256
  const good = () => forged(key, goodHeader(key), goodClaims(context))
  const parts = () => good().split('.') as [string, string, string]
  const rewritten = (change: (parts: [string, string, string]) => string[]) => () => change(parts()).join('.')
  const payload = (content: string | Uint8Array) => () => forged(key, goodHeader(key), content)
  const header = (content: string | Uint8Array) => () => forged(key, content, goodClaims(context))
  const json = () => JSON.stringify(goodClaims(context))
  const withMember = (member: string) => () => forged(key, goodHeader(key), json().replace('{', `{${member},`))
  const headerWith = (member: string) => () =>
    forged(key, JSON.stringify(goodHeader(key)).replace('{', `{${member},`), goodClaims(context))
  const nested = (depth: number) => `{"x":${'['.repeat(depth)}${']'.repeat(depth)}}`
  return [
    { name: 'two parts', token: rewritten(([h, p]) => [h, p]), reason: 'token-not-three-parts' },
    { name: 'four parts', token: rewritten((all) => [...all, 'AAAA']), reason: 'token-not-three-parts' },
    { name: 'five parts, as if encrypted', token: rewritten((all) => [...all, 'AAAA', 'AAAA']), reason: 'token-encrypted' },
    { name: 'six parts', token: rewritten((all) => [...all, 'AAAA', 'AAAA', 'AAAA']), reason: 'token-not-three-parts' },
    { name: 'one part', token: rewritten(([h]) => [h]), reason: 'token-not-three-parts' },
    { name: 'an encrypted token', token: () => encrypted(), reason: 'token-encrypted' },
    { name: 'nothing but dots', token: () => '..', reason: 'token-not-base64url' },
    { name: 'no header', token: rewritten(([, p, s]) => ['', p, s]), reason: 'token-not-base64url' },
    { name: 'no payload', token: rewritten(([h, , s]) => [h, '', s]), reason: 'token-not-base64url' },
    { name: 'no signature', token: rewritten(([h, p]) => [h, p, '']), reason: 'token-not-base64url' },
    { name: 'padding', token: rewritten(([h, p, s]) => [h, p, `${s}==`]), reason: 'token-not-base64url' },
    { name: 'one padding character', token: rewritten(([h, p, s]) => [h, `${p}=`, s]), reason: 'token-not-base64url' },
    { name: 'a tab inside the signature', token: rewritten(([h, p, s]) => [h, p, spaced(s)]), reason: 'token-not-base64url' },
    { name: 'a tab inside the payload', token: rewritten(([h, p, s]) => [h, spaced(p), s]), reason: 'token-not-base64url' },
    {
      name: 'unused bits of the signature set',
      token: rewritten(([h, p, s]) => [h, p, respelled(s)]),
      reason: 'token-not-base64url',
    },
    { name: 'one character too many', token: rewritten(([h, p, s]) => [h, p, `${s}AAA`]), reason: 'token-not-base64url' },
    { name: 'the + and / alphabet', token: () => otherAlphabet(context), reason: 'token-not-base64url' },
    {
      name: 'a character outside the alphabet',
      token: rewritten(([h, p, s]) => [h, p, `${s.slice(0, -4)}~AAA`]),
      reason: 'token-not-base64url',
    },
    {
      name: 'oversized',
      token: () => forged(key, goodHeader(key), { ...goodClaims(context), pad: 'x'.repeat(8192) }),
      reason: 'token-too-long',
    },
    { name: 'payload is no JSON', token: payload('sub=alice'), reason: 'claims-not-json' },
    { name: 'payload is empty JSON text', token: payload(' '), reason: 'claims-not-json' },
    {
      name: 'payload is an array',
      token: () => forged(key, goodHeader(key), [goodClaims(context)]),
      reason: 'claims-not-an-object',
    },
    { name: 'payload is a string', token: payload('"alice"'), reason: 'claims-not-an-object' },
    { name: 'payload is null', token: payload('null'), reason: 'claims-not-an-object' },
    {
      name: 'payload with a byte order mark',
      token: () => forged(key, goodHeader(key), `\uFEFF${json()}`),
      reason: 'claims-not-json',
    },
    {
      name: 'payload in UTF-16',
      token: () => forged(key, goodHeader(key), Buffer.from(json(), 'utf16le')),
      reason: 'claims-not-json',
    },
    {
      name: 'payload with invalid UTF-8',
      token: () => forged(key, goodHeader(key), invalidUtf8(json())),
      reason: 'claims-not-utf8',
    },
    {
      name: 'payload followed by something',
      token: () => forged(key, goodHeader(key), `${json()}{}`),
      reason: 'claims-not-json',
    },
    { name: 'payload with a comment', token: () => forged(key, goodHeader(key), `${json()}/**/`), reason: 'claims-not-json' },
    { name: 'iss twice', token: withMember('"iss":"https://other.example"'), reason: 'claims-duplicate-member' },
    {
      name: 'iss twice, once escaped',
      token: withMember('"\\u0069ss":"https://other.example"'),
      reason: 'claims-duplicate-member',
    },
    { name: 'iss twice, a space before the colon', token: withMember('"iss" \n:"x"'), reason: 'claims-duplicate-member' },
    { name: 'exp twice', token: withMember('"exp":1'), reason: 'claims-duplicate-member' },
    { name: 'sub twice with the same value', token: withMember('"sub":"alice"'), reason: 'claims-duplicate-member' },
    {
      name: 'a member twice further down',
      token: withMember('"act":{"sub":"a","x":[{"sub":1,"sub":2}]}'),
      reason: 'claims-duplicate-member',
    },
    { name: 'a __proto__ member', token: withMember('"__proto__":{"sub":"root"}'), reason: 'claims-unsafe-member' },
    {
      name: 'half of a surrogate pair in sub',
      token: () => forged(key, goodHeader(key), json().replace('alice', 'alice\\ud800')),
      reason: 'claims-malformed-text',
    },
    {
      name: 'payload nested deeply',
      token: () => forged(key, goodHeader(key), json().replace('{', `{"deep":${nested(60)},`)),
      reason: 'claims-too-deep',
    },
    { name: 'payload nested very deeply', token: () => forged(key, goodHeader(key), nested(2500)), reason: 'claims-too-deep' },
    { name: 'header is no JSON', token: header('alg=RS256'), reason: 'header-not-json' },
    { name: 'header is an array', token: header('["RS256"]'), reason: 'header-not-an-object' },
    {
      name: 'header with a byte order mark',
      token: header(`\uFEFF${JSON.stringify(goodHeader(key))}`),
      reason: 'header-not-json',
    },
    { name: 'header with invalid UTF-8', token: header(invalidUtf8(JSON.stringify(goodHeader(key)))), reason: 'header-not-utf8' },
    { name: 'header nested deeply', token: headerWith(`"x":${nested(60)}`), reason: 'header-too-deep' },
    { name: 'alg twice', token: headerWith('"alg":"none"'), reason: 'header-duplicate-member' },
    { name: 'alg twice, once escaped', token: headerWith('"\\u0061lg":"none"'), reason: 'header-duplicate-member' },
    { name: 'kid twice', token: headerWith('"kid":"other"'), reason: 'header-duplicate-member' },
  ]
}

function encrypted(): string {
  const header = part({ alg: 'RSA-OAEP-256', enc: 'A256GCM', typ: 'JWT' })
  return [header, ...[256, 12, 200, 16].map((length) => randomBytes(length).toString('base64url'))].join('.')
}

function spaced(text: string): string {
  return `${text.slice(0, 8)}\t${text.slice(8)}`
}

/** The same bytes in a second spelling: 256 bytes leave four bits of the last character unused. */
function respelled(signaturePart: string): string {
  const last = ALPHABET.indexOf(signaturePart.at(-1) ?? '')
  return `${signaturePart.slice(0, -1)}${ALPHABET[last + 1]}`
}

/** A genuine token, the bytes of its signature written in plain base64. */
function otherAlphabet(context: TokenContext): string {
  const key = context.keys.RS256
  for (let salt = 0; ; salt += 1) {
    const input = `${part(goodHeader(key))}.${part({ ...goodClaims(context), salt })}`
    const plain = signature(key, input).toString('base64').replaceAll('=', '')
    if (/[+/]/.test(plain)) return `${input}.${plain}`
  }
}

function invalidUtf8(text: string): Buffer {
  return Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.from([0xc3, 0x28]), Buffer.from(text.slice(-2))])
}
