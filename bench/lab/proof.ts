import { createIdentityVerifier } from '../../src/sdk/upstream.ts'
import type { Contestant } from '../contestants/contestant.ts'
import { type Issuer, usualClaims } from '../contestants/tokens.ts'
import type { Seen } from '../contestants/upstream.ts'

/** How a caller shows who it is, and for whom that must speak. */
export interface Caller {
  readonly headers: Readonly<Record<string, string>>
  readonly subject: string
  /** Path of the echo for this kind of caller. */
  readonly path: string
}

type Headers = Caller['headers']

/** A caller with a token of the usual claims. */
export function bearer(token: string): Caller {
  return { headers: { Authorization: `Bearer ${token}` }, subject: String(usualClaims().sub), path: '/things/echo' }
}

/** Throws, with what was wrong, unless a contestant does the right thing: lets a good token through, tells the upstream who, and refuses the rest. */
export async function prove(contestant: Contestant, token: string): Promise<void> {
  await proveCaller(contestant, bearer(token))
  const { issuer } = contestant
  if (issuer === null) return
  for (const [what, bad] of await badTokens(issuer)) {
    const { status } = await ask(contestant, '/things/echo', bad === '' ? {} : { Authorization: `Bearer ${bad}` })
    if (status !== 401) throw wrong(contestant, `${what} is answered with ${status}`)
  }
}

/** Throws unless this caller is let through and the upstream sees what it should. */
export async function proveCaller(contestant: Contestant, { headers, path, subject }: Caller): Promise<void> {
  const answer = await ask(contestant, path, headers)
  if (answer.status !== 200) throw wrong(contestant, `a good credential is answered with ${answer.status}`)
  const seen = (await answer.json()) as Seen
  if (seen.uri !== path) throw wrong(contestant, `the upstream is asked for ${seen.uri}`)
  if (contestant.identity === 'nothing') {
    if (seen.authorization !== headers.Authorization) throw wrong(contestant, 'the request does not go on as it came')
    return
  }
  if (seen.authorization !== '' || seen.apiKey !== '') throw wrong(contestant, 'the upstream sees the credential')
  const told = contestant.identity === 'subject' ? seen.subject : await assertedSubject(contestant, seen)
  if (told !== subject) throw wrong(contestant, `the upstream is told the subject ${told}`)
}

/** Throws unless an instance with a small allowance lets some requests of one subject through and refuses the rest with 429. */
export async function proveLimit(contestant: Contestant, token: string, allowance: number): Promise<void> {
  const statuses: number[] = []
  const { path, headers } = bearer(token)
  for (let sent = 0; sent < allowance * 3; sent += 1) statuses.push((await ask(contestant, path, headers)).status)
  const passed = statuses.filter((status) => status === 200).length
  const limited = statuses.filter((status) => status === 429).length
  if (passed < 1 || passed > allowance + 1 || passed + limited !== statuses.length)
    throw wrong(contestant, `an allowance of ${allowance} gives ${statuses.join(' ')}`)
}

/** Verified as a service would do it. */
async function assertedSubject({ url }: Contestant, { assertion, transaction }: Seen): Promise<string> {
  const verifier = createIdentityVerifier({ gateway: url, issuer: 'https://api.bench.example', audience: 'things' })
  const carried = assertion === '' ? { 'txn-token': transaction } : { 'x-planegate-assertion': assertion }
  return (await verifier.verify({ headers: carried })).subject
}

async function badTokens(issuer: Issuer): Promise<[string, string][]> {
  const past = Math.floor(Date.now() / 1000) - 3600
  return [
    ['no token', ''],
    ['a token with a forged signature', await issuer.forged()],
    ['a token of another issuer', await issuer.token({ iss: 'https://elsewhere.example' })],
    ['a token for another audience', await issuer.token({ aud: 'https://elsewhere.example' })],
    ['an expired token', await issuer.token({ iat: past - 60, nbf: past - 60, exp: past })],
  ]
}

function ask({ url }: Contestant, path: string, headers: Headers): Promise<Response> {
  return fetch(`${url}${path}`, { headers })
}

function wrong({ name }: Contestant, what: string): Error {
  return new Error(`${name} does not do what it is measured for: ${what}`)
}
