import { type Explanations, rowsOf } from './explanation.ts'

const FORGED =
  'Common issuers write no such tokens: it is damaged or made up. If a client of yours sends it, have it get a new one; from a stranger: nothing to do.'

/** Faults of JSON that only one kind of reader overlooks. */
const JSON_FAULTS = {
  'not-utf8': 'is not UTF-8',
  'not-json': 'is not JSON',
  'not-an-object': 'is JSON, but not an object',
  'too-deep': 'is nested deeper than 32 levels',
  'duplicate-member': 'has one member twice, and two readers could take one each',
  'unsafe-member': 'has a member `__proto__`',
  'malformed-text': 'has text with half a character (an unpaired surrogate)',
  'number-out-of-range': 'has a number that is too large to be read',
} as const

/** Header parameters that no token needs here. */
const FORBIDDEN_PARAMETERS = {
  crit: 'asks for extensions, of which planegate knows none',
  b64: 'changes how the rest of the token is read',
  jku: 'names an address to fetch keys from',
  x5u: 'names an address to fetch a certificate from',
  x5c: 'brings a certificate of its own',
  jwk: 'brings a key of its own',
  zip: 'says that the token is compressed',
  cty: 'says that there is a token inside the token',
  enc: 'belongs to encrypted tokens',
  epk: 'belongs to encrypted tokens',
  apu: 'belongs to encrypted tokens',
  apv: 'belongs to encrypted tokens',
  iv: 'belongs to encrypted tokens',
  tag: 'belongs to encrypted tokens',
  p2s: 'belongs to tokens encrypted with a password',
  p2c: 'belongs to tokens encrypted with a password',
} as const

/** `credential-invalid`: tokens that are refused before any key is asked for. */
export const UNREADABLE_TOKENS = {
  'token-too-long': {
    means: 'The token has more than 8192 characters. Nothing of it was looked at.',
    remedy: 'Have the issuer put less into it; lists of groups and roles are the usual cause.',
  },
  'token-not-three-parts': {
    means: 'What follows `Bearer` is not a signed token of three parts, or is empty.',
    remedy:
      'If the issuer gives out opaque access tokens, set it to JWTs; many do that once the client asks for an audience. An API key goes into `apiKeys.header`.',
  },
  'token-encrypted': {
    means: 'The token is encrypted (JWE, five parts); planegate reads signed tokens.',
    remedy: 'Switch encryption of access tokens off at the issuer.',
  },
  'token-not-base64url': {
    means: 'A part of the token is not base64url in its one spelling: padding, another alphabet, or a damaged end.',
    remedy: 'Copy the token again, whole. If all tokens of an issuer are like this, report it to the issuer.',
  },
  ...rowsOf(JSON_FAULTS, (fault, said) => [`header-${fault}`, { means: `The header of the token ${said}.`, remedy: FORGED }]),
  ...rowsOf(JSON_FAULTS, (fault, said) => [
    `claims-${fault}`,
    { means: `The payload of the token, where its claims are, ${said}.`, remedy: FORGED },
  ]),
  ...rowsOf(FORBIDDEN_PARAMETERS, (name, said) => [
    `header-has-${name}`,
    {
      means: `The header of the token has \`${name}\`, which ${said}.`,
      remedy:
        'If the token comes from an issuer of yours, have it leave that out. Else it is a known way of forging: nothing to do.',
    },
  ]),
  'algorithm-missing': { means: 'The header of the token names no algorithm (`alg`).', remedy: FORGED },
  'kid-invalid': {
    means: 'The key id (`kid`) of the token is not text, is empty, or has more than 256 characters.',
    remedy: FORGED,
  },
  'type-invalid': { means: 'The type (`typ`) of the token is not text.', remedy: FORGED },
  'issuer-missing': {
    means: 'The token does not say who issued it (`iss`).',
    remedy: 'Have the issuer write `iss`; planegate trusts no token without.',
  },
  'issuer-unknown': {
    means: 'No provider is declared with the `iss` of this token.',
    remedy: 'Compare it with `providers[].issuer` character by character: a final slash and `http` or `https` count.',
  },
  'type-not-accepted': {
    means: 'The `typ` of the token is not in `types` of its provider; without `typ` it counts as `JWT`.',
    remedy:
      'An ID or refresh token in the place of an access token is the usual cause. If the type is right, add it to `providers[].types`.',
  },
  'algorithm-not-accepted': {
    means: 'The `alg` of the token is not in `algorithms` of its provider. `none` and `HS…` never are.',
    remedy: 'If the issuer has changed its algorithm, add it to `providers[].algorithms`. Else it is a forgery: nothing to do.',
  },
} as const satisfies Explanations

/** `credential-invalid`: tokens of a declared issuer with which the keys of that issuer do not agree. */
export const UNVERIFIED_TOKENS = {
  'signing-key-unknown': {
    means: 'The key set of the issuer has no key with the `kid` of the token or, for a token without, none for its algorithm.',
    remedy:
      'Compare with `key_ids` in `/auth/provider/status` on the admin listener. Keys from a URL are fetched again by themselves, at most every 30 s for this; for a changed `jwks.file` restart the gateway.',
  },
  'key-unfit': {
    means: 'The key set has the `kid` of the token, but that key is of another type, curve or algorithm than the token says.',
    remedy:
      'Compare `alg` of the token with `kty`, `crv` and `alg` of the key in the key set of the issuer. From a stranger it is a forgery.',
  },
  'key-undecided': {
    means: 'The token names no key (`kid`), and several keys of its issuer would do.',
    remedy: 'Have the issuer write `kid` into its tokens.',
  },
  'key-dropped': {
    means: 'The issuer took the key out of its set while this token was being verified.',
    remedy: 'Nothing, while the issuer changes its keys: the client gets a new token.',
  },
  'signature-invalid': {
    means: 'The signature does not fit: the token was changed, or signed with another key of the same name.',
    remedy:
      'If all tokens of an issuer are refused, two of its environments use one `kid`: compare `providers[].jwks` with the issuer that clients use. Else it is a forgery.',
  },
} as const satisfies Explanations
