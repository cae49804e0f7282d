import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SignJWT } from 'jose'
import type { Principal } from '../../src/domain/credential.ts'
import { createAssertionIssuer } from '../../src/tokens/assertion-issuer.ts'
import { type IdentityKeys, loadIdentityKeys } from '../../src/tokens/identity-keys.ts'
import { clockAt, fileWith, HUMAN, ISSUER, NOW, newKey, pkcs8, routeTo, UPSTREAMS } from '../tokens/identity-fixtures.ts'

export const signingKey = newKey('EdDSA')
export const keys = loadIdentityKeys({ keyFile: fileWith(pkcs8(signingKey)), previousKeyFiles: [] })

export interface IssueOptions {
  readonly principal?: Principal
  readonly binding?: 'session' | 'request'
  readonly forwardClaims?: readonly string[]
  readonly with?: IdentityKeys
  /** Seconds since the epoch. */
  readonly at?: number
}

/** What the gateway would send to the upstream `accounts`. */
export function issue({
  principal = HUMAN,
  binding = 'session',
  forwardClaims = [],
  with: own = keys,
  at = NOW,
}: IssueOptions = {}): string {
  const options = {
    keys: own,
    issuer: ISSUER,
    ttlMs: 60_000,
    binding,
    forwardClaims,
    upstreams: UPSTREAMS,
    clock: clockAt(at),
  } as const
  const assertion = createAssertionIssuer(options).issue(principal, routeTo('accounts'), 'GET')
  if (assertion instanceof Promise) throw new Error('expected an answer without a promise')
  return assertion.value
}

/** A present-day assertion, for verifiers that go by the real clock. */
export function issueNow(options: IssueOptions = {}): string {
  return issue({ principal: { ...HUMAN, expiresAt: null }, at: Math.floor(Date.now() / 1000), ...options })
}

/** Signed with the gateway's own key, but saying whatever a test wants. */
export function forge(claims: Record<string, unknown>, header: Record<string, unknown> = {}): Promise<string> {
  const protectedHeader = { alg: 'EdDSA', typ: 'planegate-identity+jwt', kid: keys.current.kid, ...header }
  return new SignJWT(claims).setProtectedHeader(protectedHeader).sign(signingKey)
}

/** A server on a free port of the loopback interface; closed when the block that holds it ends. */
export async function listen(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close, [Symbol.asyncDispose]: close }
}
