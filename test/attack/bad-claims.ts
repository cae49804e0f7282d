import { type BadToken, goodClaims, goodHeader, type TokenContext } from './bad-tokens.ts'
import { forged } from './forge.ts'

type Row = readonly [name: string, change: Record<string, unknown>, reason: string]

/** Tokens with a genuine signature whose fault is in what they say. A claim of undefined is left out. */
export function claimAttacks(context: TokenContext): BadToken[] {
  const key = context.keys.EdDSA
  const now = context.now()
  const rows = [...issuerRows(context), ...audienceRows(context), ...subjectRows(), ...timeRows(now), ...otherRows()]
  const signedText = (change: (json: string) => string) => () =>
    forged(key, goodHeader(key), change(JSON.stringify(goodClaims(context))))
  return [
    ...rows.map(([name, change, reason]) => {
      return { name, token: () => forged(key, goodHeader(key), { ...goodClaims(context), ...change }), reason }
    }),
    {
      name: 'exp 1e400',
      token: signedText((json) => json.replace(/"exp":\d+/, '"exp":1e400')),
      reason: 'claims-number-out-of-range',
    },
    {
      name: 'exp -1e400',
      token: signedText((json) => json.replace(/"exp":\d+/, '"exp":-1e400')),
      reason: 'claims-number-out-of-range',
    },
    {
      name: 'nbf -1e400',
      token: signedText((json) => json.replace('{', '{"nbf":-1e400,')),
      reason: 'claims-number-out-of-range',
    },
  ]
}

function issuerRows({ issuer }: TokenContext): Row[] {
  return [
    ['iss missing', { iss: undefined }, 'issuer-missing'],
    ['iss unknown', { iss: 'https://attacker.example' }, 'issuer-unknown'],
    ['iss with a slash more', { iss: `${issuer}/` }, 'issuer-unknown'],
    ['iss in other case', { iss: issuer.toUpperCase() }, 'issuer-unknown'],
    ['iss with a query', { iss: `${issuer}?` }, 'issuer-unknown'],
    ['iss as a list', { iss: [issuer] }, 'issuer-unknown'],
    ['iss is null', { iss: null }, 'issuer-unknown'],
    ['iss is empty', { iss: '' }, 'issuer-unknown'],
    ['iss named like a method', { iss: 'constructor' }, 'issuer-unknown'],
  ]
}

function audienceRows({ audience }: TokenContext): Row[] {
  return [
    ['aud missing', { aud: undefined }, 'audience-missing'],
    ['aud wrong', { aud: 'https://other.example' }, 'audience-unknown'],
    ['aud a list of wrong ones', { aud: ['https://other.example', 'x'] }, 'audience-unknown'],
    ['aud an empty list', { aud: [] }, 'audience-unknown'],
    ['aud nested', { aud: [[audience]] }, 'audience-invalid'],
    ['aud as an object', { aud: { [audience]: true } }, 'audience-invalid'],
    ['aud mixed with a number', { aud: [audience, 1] }, 'audience-invalid'],
    ['aud longer', { aud: `${audience}.attacker.example` }, 'audience-unknown'],
    ['aud shorter', { aud: audience.slice(0, -1) }, 'audience-unknown'],
    ['aud with a slash more', { aud: `${audience}/` }, 'audience-unknown'],
    ['aud in other case', { aud: audience.toUpperCase() }, 'audience-unknown'],
    ['aud several in one text', { aud: `${audience} https://other.example` }, 'audience-unknown'],
    ['aud is null', { aud: null }, 'audience-invalid'],
    ['aud is empty', { aud: '' }, 'audience-unknown'],
  ]
}

function subjectRows(): Row[] {
  return [
    ['sub missing', { sub: undefined }, 'required-claim-missing'],
    ['sub empty', { sub: '' }, 'required-claim-missing'],
    ['sub null', { sub: null }, 'required-claim-missing'],
    ['sub a number', { sub: 42 }, 'subject-not-text'],
    ['sub true', { sub: true }, 'subject-not-text'],
    ['sub an object', { sub: { id: 'alice' } }, 'subject-not-text'],
    ['sub a list', { sub: ['alice'] }, 'subject-not-text'],
    ['sub huge', { sub: 'a'.repeat(1025) }, 'subject-too-long'],
    ['sid missing though required', { sid: undefined }, 'required-claim-missing'],
    ['sid null though required', { sid: null }, 'required-claim-missing'],
    ['sid an empty list though required', { sid: [] }, 'required-claim-missing'],
    ['sid a number', { sid: 7 }, 'session-not-text'],
    ['sid huge', { sid: 's'.repeat(1025) }, 'session-too-long'],
  ]
}

function timeRows(now: number): Row[] {
  return [
    ['exp missing', { exp: undefined }, 'exp-missing'],
    ['exp past', { exp: now - 60 }, 'expired'],
    ['exp just past the skew', { exp: now - 30 }, 'expired'],
    ['exp zero', { exp: 0 }, 'expired'],
    ['exp negative', { exp: -now }, 'expired'],
    ['exp a text', { exp: String(now + 300) }, 'exp-not-a-time'],
    ['exp with a fraction', { exp: now + 300.5 }, 'exp-not-a-time'],
    ['exp null', { exp: null }, 'exp-not-a-time'],
    ['exp true', { exp: true }, 'exp-not-a-time'],
    ['exp a list', { exp: [now + 300] }, 'exp-not-a-time'],
    ['exp beyond whole numbers', { exp: 2 ** 53 }, 'exp-not-a-time'],
    ['exp in milliseconds', { exp: (now + 300) * 1000 }, 'exp-not-a-time'],
    ['nbf in the future', { nbf: now + 120 }, 'not-yet-valid'],
    ['nbf a text', { nbf: String(now) }, 'nbf-not-a-time'],
    ['nbf null', { nbf: null }, 'nbf-not-a-time'],
    ['iat in the future', { iat: now + 120 }, 'issued-in-the-future'],
    ['iat a text', { iat: 'now' }, 'iat-not-a-time'],
    ['iat null', { iat: null }, 'iat-not-a-time'],
  ]
}

function otherRows(): Row[] {
  return [
    ['bound to a key', { cnf: { jkt: 'x' } }, 'sender-constrained'],
    ['bound to a certificate', { cnf: { 'x5t#S256': 'x' } }, 'sender-constrained'],
    ['cnf null', { cnf: null }, 'sender-constrained'],
    ['plane missing', { plane: undefined }, 'plane-undecided'],
    ['plane unknown', { plane: 'robot' }, 'plane-undecided'],
    ['plane in other case', { plane: 'Human' }, 'plane-undecided'],
    ['plane as a list', { plane: ['human'] }, 'plane-undecided'],
    ['plane named like a method', { plane: 'toString' }, 'plane-undecided'],
    ['scope a number', { scope: 1 }, 'scopes-invalid'],
    ['scope an object', { scope: { 'accounts:read': true } }, 'scopes-invalid'],
    ['scope a list with a number', { scope: ['accounts:read', 1] }, 'scopes-invalid'],
    ['scope a list with two in one', { scope: ['accounts:read accounts:write'] }, 'scopes-invalid'],
    ['scope with a line end', { scope: 'accounts:read\naccounts:write' }, 'scopes-invalid'],
    ['roles an object', { roles: { admin: true } }, 'roles-invalid'],
    ['roles a list with null', { roles: ['viewer', null] }, 'roles-invalid'],
    ['roles nested', { roles: [['admin']] }, 'roles-invalid'],
    ['act a text', { act: 'bob' }, 'delegation-invalid'],
    ['act a list', { act: [{ sub: 'bob' }] }, 'delegation-invalid'],
    ['act null', { act: null }, 'delegation-invalid'],
    ['jti a number', { jti: 1 }, 'token-id-not-text'],
    ['jti null', { jti: null }, 'token-id-not-text'],
    ['client_id a number', { client_id: 1 }, 'client-id-not-text'],
    ['azp an object', { azp: {} }, 'client-id-not-text'],
    ['account_id a number', { account_id: 1 }, 'account-not-text'],
    ['team_id a list', { team_id: ['t'] }, 'team-not-text'],
  ]
}
