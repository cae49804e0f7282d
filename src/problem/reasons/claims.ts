import { type Explanations, rowsOf } from './explanation.ts'

const AT_THE_ISSUER = 'The signature is genuine, so this is a matter of the issuer: correct the claim there'

/** Claims that are text, and how the operator can have another one read. */
const TEXT_CLAIMS = {
  subject: {
    what: 'The subject (`sub`, or what `claims.subject` of the provider names)',
    remedy: `${AT_THE_ISSUER}, or name another one in \`providers[].claims.subject\`.`,
  },
  session: {
    what: 'The session (`sid`, or what `claims.session` of the provider names)',
    remedy: `${AT_THE_ISSUER}, or name another one in \`providers[].claims.session\`.`,
  },
  account: {
    what: 'The account (`account_id`, or what `claims.account` of the provider names)',
    remedy: `${AT_THE_ISSUER}, or name another one in \`providers[].claims.account\`.`,
  },
  team: {
    what: 'The team (`team_id`, or what `claims.team` of the provider names)',
    remedy: `${AT_THE_ISSUER}, or name another one in \`providers[].claims.team\`.`,
  },
  'token-id': { what: 'The token id (`jti`)', remedy: `${AT_THE_ISSUER}.` },
  'client-id': { what: 'The client (`client_id`, else `azp`)', remedy: `${AT_THE_ISSUER}.` },
} as const

/** `credential-invalid`: tokens with a genuine signature whose claims do not hold. */
export const REFUSED_CLAIMS = {
  'audience-missing': {
    means: 'The token does not say for whom it is (`aud`).',
    remedy: 'Have the client ask its issuer for a token for this gateway: one of `providers[].audiences`.',
  },
  'audience-invalid': {
    means: '`aud` of the token is neither text nor a list of texts.',
    remedy: `${AT_THE_ISSUER}.`,
  },
  'audience-unknown': {
    means: 'The token is for somebody else: none of its `aud` is in `audiences` of its provider.',
    remedy:
      'The client must ask for a token for this gateway. After a deployment compare `providers[].audiences` with `aud`; an ID token carries the client id there and is not meant.',
  },
  'exp-missing': {
    means: 'The token has no end (`exp`).',
    remedy: 'Have the issuer write `exp`; planegate takes no token that is valid for ever.',
  },
  'exp-not-a-time': {
    means: '`exp` is not a whole number of seconds before the year 10000.',
    remedy: `${AT_THE_ISSUER}. Milliseconds in the place of seconds are the usual cause.`,
  },
  'nbf-not-a-time': { means: '`nbf` is not a number of seconds.', remedy: `${AT_THE_ISSUER}.` },
  'iat-not-a-time': { means: '`iat` is not a number of seconds.', remedy: `${AT_THE_ISSUER}.` },
  'not-yet-valid': {
    means: 'The token is valid only later (`nbf`), `clockSkew` included.',
    remedy:
      'Compare `date -u` here and at the issuer, and mend the clock that is wrong; `providers[].clockSkew` bridges seconds.',
  },
  'issued-in-the-future': {
    means: 'The token says that it was issued later than now (`iat`), `clockSkew` included.',
    remedy:
      'Compare `date -u` here and at the issuer, and mend the clock that is wrong; `providers[].clockSkew` bridges seconds.',
  },
  'lifetime-too-long': {
    means: 'The token lives longer than revocations are kept, so that a revoked one could come back to life.',
    remedy: 'Shorten the life of tokens at the issuer, or lengthen `revocation.retention`.',
  },
  'sender-constrained': {
    means: 'The token is bound to a key of its holder (`cnf`), and planegate cannot check that the client holds it.',
    remedy: 'Have the issuer give this client plain bearer tokens (no DPoP, no mutual TLS).',
  },
  'required-claim-missing': {
    means: 'A claim of `requiredClaims` of the provider is missing or says nothing.',
    remedy: 'Have the issuer write it, or take it out of `providers[].requiredClaims` if it is not needed.',
  },
  'subject-missing': {
    means: 'The token names no subject: `sub`, or what `claims.subject` of the provider names.',
    remedy: 'Have the issuer write it, or name the claim that holds it in `providers[].claims.subject`.',
  },
  ...rowsOf(TEXT_CLAIMS, (claim, { what, remedy }) => [
    `${claim}-not-text`,
    { means: `${what} is there, but is not text.`, remedy },
  ]),
  ...rowsOf(TEXT_CLAIMS, (claim, { what, remedy }) => [`${claim}-empty`, { means: `${what} is there, but empty.`, remedy }]),
  ...rowsOf(TEXT_CLAIMS, (claim, { what, remedy }) => [
    `${claim}-too-long`,
    { means: `${what} has more than 1024 characters.`, remedy },
  ]),
  'scopes-invalid': {
    means: 'The scopes are neither text nor a list, hold a character that no scope may have, or are more than 1000.',
    remedy: `${AT_THE_ISSUER}, or name another claim in \`providers[].claims.scopes\`.`,
  },
  'roles-invalid': {
    means: 'The roles are neither text nor a list of texts, one of them is empty, or they are more than 1000.',
    remedy: `${AT_THE_ISSUER}, or name another claim in \`providers[].claims.roles\`.`,
  },
  'plane-undecided': {
    means: 'The claim that tells humans from machines (`plane.claim` of the provider) holds none of the declared values.',
    remedy: 'Add the value to `providers[].plane.human` or `providers[].plane.machine`, whichever is right for this client.',
  },
  'delegation-invalid': { means: '`act` of the token is not an object.', remedy: `${AT_THE_ISSUER}.` },
} as const satisfies Explanations
