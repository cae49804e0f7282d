import { type BadToken, goodClaims, goodHeader, type TokenContext } from './bad-tokens.ts'
import { type ForgingKey, forged, forgingKey, part, signature } from './forge.ts'

/** Tokens that are right in every word and were not signed by the key they name. */
export function signatureAttacks(context: TokenContext): BadToken[] {
  const { RS256, ES256, EdDSA } = context.keys
  const input = (key: ForgingKey) => `${part(goodHeader(key))}.${part(goodClaims(context))}`
  const altered = (key: ForgingKey, change: (bytes: Buffer) => Uint8Array) => () => {
    const text = input(key)
    return `${text}.${part(change(signature(key, text)))}`
  }
  const bySomeoneElse = (key: ForgingKey) => () => forged(forgingKey(key.alg, key.kid), goodHeader(key), goodClaims(context))
  const flipped = (at: number) => (bytes: Buffer) => bytes.fill((bytes.at(at) ?? 0) ^ 1, at, at + 1)
  const rows: [name: string, token: () => string][] = [
    ['RS256 truncated', altered(RS256, (bytes) => bytes.subarray(0, -1))],
    ['RS256 with a bit flipped', altered(RS256, flipped(100))],
    ['RS256 all zeros', altered(RS256, (bytes) => bytes.fill(0))],
    ['RS256 with a zero byte before', altered(RS256, (bytes) => Buffer.concat([Buffer.alloc(1), bytes]))],
    ['RS256 with a zero byte after', altered(RS256, (bytes) => Buffer.concat([bytes, Buffer.alloc(1)]))],
    ['RS256 of another key', bySomeoneElse(RS256)],
    ['RS256 in PSS padding', () => `${input(RS256)}.${part(signature({ ...RS256, alg: 'PS256' }, input(RS256)))}`],
    ['RS256 over SHA-512', () => `${input(RS256)}.${part(signature({ ...RS256, alg: 'RS512' }, input(RS256)))}`],
    ['ES256 with r and s zero (CVE-2022-21449)', altered(ES256, (bytes) => bytes.fill(0))],
    ['ES256 with s zero', altered(ES256, (bytes) => bytes.fill(0, 32))],
    ['ES256 in DER', () => `${input(ES256)}.${part(signature(ES256, input(ES256), { dsaEncoding: 'der' }))}`],
    ['ES256 truncated', altered(ES256, (bytes) => bytes.subarray(0, 63))],
    ['ES256 of another key', bySomeoneElse(ES256)],
    ['ES256 with r and s exchanged', altered(ES256, (bytes) => Buffer.concat([bytes.subarray(32), bytes.subarray(0, 32)]))],
    ['EdDSA of another key', bySomeoneElse(EdDSA)],
    ['EdDSA all zeros', altered(EdDSA, (bytes) => bytes.fill(0))],
    ['EdDSA with a bit flipped', altered(EdDSA, flipped(3))],
    ['EdDSA with the group order added to S', altered(EdDSA, withOrderAdded)],
    ['one byte of signature', () => `${input(EdDSA)}.AA`],
    [
      'the signature of another token',
      () => `${input(EdDSA)}.${part(signature(EdDSA, `${part(goodHeader(EdDSA))}.${part({ sub: 'mallory' })}`))}`,
    ],
    [
      'the payload changed',
      () => withPayload(forged(EdDSA, goodHeader(EdDSA), goodClaims(context)), { ...goodClaims(context), sub: 'root' }),
    ],
    ['the payload alone signed', () => `${input(EdDSA)}.${part(signature(EdDSA, part(goodClaims(context))))}`],
  ]
  return [
    ...rows.map(([name, token]) => ({ name, token, reason: 'signature-invalid' })),
    { name: 'a key for encryption', token: byKey(context, context.encryptionKey), reason: 'signing-key-unknown' },
    { name: 'a key of another trusted issuer', token: byKey(context, context.foreignKey), reason: 'signing-key-unknown' },
  ]
}

function byKey(context: TokenContext, key: ForgingKey): () => string {
  return () => forged(key, goodHeader(key), goodClaims(context))
}

function withPayload(token: string, claims: object): string {
  const [header, , sig] = token.split('.')
  return `${header}.${part(claims)}.${sig}`
}

/** S + L is the same number modulo L, but not the canonical one (RFC 8032 section 5.1.7): a second signature of the same token. */
function withOrderAdded(bytes: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n
  let s = BigInt(`0x${Buffer.from(bytes.subarray(32)).reverse().toString('hex')}`) + order
  const out = Buffer.from(bytes)
  for (let at = 32; at < 64; at += 1, s >>= 8n) out[at] = Number(s & 0xffn)
  return out
}
