import { type BadToken, goodClaims, goodHeader, type TokenContext } from './bad-tokens.ts'
import { type ForgingKey, forged, forgingKey, macToken, part, publicJwk } from './forge.ts'

/** Tokens whose fault is in the header. */
export function headerAttacks(context: TokenContext): BadToken[] {
  return [...unsigned(context), ...sharedSecret(context), ...ownKey(context), ...parameters(context)]
}

function unsigned(context: TokenContext): BadToken[] {
  const spellings = ['none', 'None', 'NONE', 'nOnE', 'noNe', ' none', 'none\u0000']
  return spellings.flatMap((alg) => {
    const input = () => `${part({ alg, typ: 'at+jwt', kid: context.keys.RS256.kid })}.${part(goodClaims(context))}`
    return [
      { name: `alg ${JSON.stringify(alg)} without signature`, token: () => `${input()}.`, reason: 'token-not-base64url' },
      {
        name: `alg ${JSON.stringify(alg)} with some signature`,
        token: () => `${input()}.AAAA`,
        reason: 'algorithm-not-accepted',
      },
    ]
  })
}

/** The public key as a shared secret: everyone knows it (CVE-2015-9235 and many after it). */
function sharedSecret(context: TokenContext): BadToken[] {
  const { RS256, ES256, EdDSA } = context.keys
  const pem = (key: ForgingKey, type: 'spki' | 'pkcs1') => key.publicKey.export({ type, format: 'pem' })
  const mac = (alg: 'HS256' | 'HS384' | 'HS512', key: ForgingKey, secret: string | Uint8Array) => () =>
    macToken(alg, secret, { ...goodHeader(key), alg }, goodClaims(context))
  const reason = 'algorithm-not-accepted'
  return [
    { name: 'HS256 with the RSA public key', token: mac('HS256', RS256, pem(RS256, 'spki')), reason },
    {
      name: 'HS256 with the RSA public key without line end',
      token: mac('HS256', RS256, pem(RS256, 'spki').toString().trim()),
      reason,
    },
    { name: 'HS256 with the RSA public key in PKCS#1', token: mac('HS256', RS256, pem(RS256, 'pkcs1')), reason },
    { name: 'HS384 with the EC public key', token: mac('HS384', ES256, pem(ES256, 'spki')), reason },
    { name: 'HS512 with the Ed25519 public key', token: mac('HS512', EdDSA, pem(EdDSA, 'spki')), reason },
    { name: 'HS256 with the JWK', token: mac('HS256', RS256, JSON.stringify(publicJwk(RS256))), reason },
    { name: 'HS256 with an empty secret', token: mac('HS256', RS256, ''), reason },
  ]
}

/** A key that the token itself brings or points to. */
function ownKey(context: TokenContext): BadToken[] {
  const own = forgingKey('EdDSA', context.keys.EdDSA.kid)
  const jwk = publicJwk(own)
  const signedByOwn = (header: object) => () => forged(own, { ...goodHeader(own), ...header }, goodClaims(context))
  return [
    { name: 'its own key in jwk', token: signedByOwn({ jwk }), reason: 'header-has-jwk' },
    {
      name: 'its own key in jwk, no kid',
      token: () => forged(own, { alg: 'EdDSA', typ: 'at+jwt', jwk }, goodClaims(context)),
      reason: 'header-has-jwk',
    },
    { name: 'its own key set in jku', token: signedByOwn({ jku: 'http://127.0.0.1:9/jwks.json' }), reason: 'header-has-jku' },
    { name: 'the issuer in jku', token: signedByOwn({ jku: `${context.issuer}/jwks.json` }), reason: 'header-has-jku' },
    { name: 'its own certificate in x5c', token: signedByOwn({ x5c: ['MIIB'] }), reason: 'header-has-x5c' },
    { name: 'its own certificate in x5u', token: signedByOwn({ x5u: 'http://127.0.0.1:9/cert.pem' }), reason: 'header-has-x5u' },
    { name: 'jwk is null', token: signedByOwn({ jwk: null }), reason: 'header-has-jwk' },
  ]
}

function parameters(context: TokenContext): BadToken[] {
  const { RS256, ES256, EdDSA } = context.keys
  const signed = (key: ForgingKey, change: object) => () => forged(key, { ...goodHeader(key), ...change }, goodClaims(context))
  const unaccepted = 'algorithm-not-accepted'
  const rows: [name: string, change: object, reason: string][] = [
    ['crit with an unknown extension', { crit: ['x'], x: 1 }, 'header-has-crit'],
    ['crit with a known name', { crit: ['exp'], exp: 1 }, 'header-has-crit'],
    ['crit is empty', { crit: [] }, 'header-has-crit'],
    ['b64 false', { b64: false, crit: ['b64'] }, 'header-has-crit'],
    ['b64 false without crit', { b64: false }, 'header-has-b64'],
    ['b64 true', { b64: true }, 'header-has-b64'],
    ['compressed', { zip: 'DEF' }, 'header-has-zip'],
    ['nested', { cty: 'JWT' }, 'header-has-cty'],
    ['enc beside a signature', { enc: 'A256GCM' }, 'header-has-enc'],
    ['PBES2 with many rounds', { alg: 'PBES2-HS256+A128KW', p2s: 'AAAA', p2c: 2147483647 }, 'header-has-p2s'],
    ['alg missing', { alg: undefined }, 'algorithm-missing'],
    ['alg is a number', { alg: 256 }, 'algorithm-missing'],
    ['alg is a list', { alg: ['RS256'] }, 'algorithm-missing'],
    ['alg is empty', { alg: '' }, unaccepted],
    ['alg in lower case', { alg: 'rs256' }, unaccepted],
    ['alg with a space', { alg: 'RS256 ' }, unaccepted],
    ['alg that nobody declared', { alg: 'RS512' }, unaccepted],
    ['alg named like a method', { alg: 'constructor' }, unaccepted],
    ['typ of a logout token', { typ: 'logout+jwt' }, 'type-not-accepted'],
    ['typ of a DPoP proof', { typ: 'dpop+jwt' }, 'type-not-accepted'],
    ["typ of the gateway's own assertion", { typ: 'planegate-identity+jwt' }, 'type-not-accepted'],
    ['typ is empty', { typ: '' }, 'type-not-accepted'],
    ['typ is a number', { typ: 1 }, 'type-invalid'],
    ['typ is null', { typ: null }, 'type-invalid'],
    ['typ with the prefix twice', { typ: 'application/application/jwt' }, 'type-not-accepted'],
    ['kid that nobody knows', { kid: 'unknown' }, 'signing-key-unknown'],
    ['kid of another issuer', { kid: context.foreignKey.kid }, 'signing-key-unknown'],
    ['kid as a path', { kid: '../../../../dev/null' }, 'signing-key-unknown'],
    ['kid as a query', { kid: "' UNION SELECT 'key" }, 'signing-key-unknown'],
    ['kid named like a method', { kid: '__proto__' }, 'signing-key-unknown'],
    ['kid in other case', { kid: RS256.kid.toUpperCase() }, 'signing-key-unknown'],
    ['kid is a list', { kid: [RS256.kid] }, 'kid-invalid'],
    ['kid is a number', { kid: 1 }, 'kid-invalid'],
    ['kid is null', { kid: null }, 'kid-invalid'],
    ['kid is empty', { kid: '' }, 'kid-invalid'],
    ['kid is huge', { kid: 'k'.repeat(4000) }, 'kid-invalid'],
    ['kid of an EC key on an RSA algorithm', { kid: ES256.kid }, 'key-unfit'],
  ]
  return [
    ...rows.map(([name, change, reason]) => ({ name, token: signed(RS256, change), reason })),
    { name: 'RS256 with the kid of the Ed25519 key', token: signed(EdDSA, { alg: 'RS256' }), reason: 'key-unfit' },
    { name: 'ES256 with the kid of the RSA key', token: signed(RS256, { alg: 'ES256' }), reason: 'key-unfit' },
    { name: 'EdDSA with the kid of the EC key', token: signed(ES256, { alg: 'EdDSA' }), reason: 'key-unfit' },
  ]
}
