import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Principal } from '../../src/domain/credential.ts'
import type { Route } from '../../src/domain/route.ts'
import type { IdentityAlgorithm } from '../../src/tokens/identity-keys.ts'

/** 2026-01-01T00:00:30Z, in seconds. */
export const NOW = 1_767_225_630

export const ISSUER = 'https://api.example.com'

export const UPSTREAMS = [
  { name: 'accounts', audience: 'accounts' },
  { name: 'reports', audience: 'urn:example:reports' },
]

/** A person with everything that a token can say. */
export const HUMAN: Principal = {
  kind: 'jwt',
  plane: 'HUMAN',
  actor: 'human',
  issuer: 'https://clerk.example.com',
  subject: 'user_2fLq',
  credentialId: 'd2c1f0aa55e3b7d8c9e0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6',
  session: 'sess_81',
  sessionDigest: '5e55d1',
  tokenId: 'jti-of-the-client-token',
  issuedAt: NOW - 60,
  expiresAt: NOW + 3600,
  scopes: ['accounts:read', 'accounts:write'],
  roles: ['admin', 'viewer'],
  account: 'acc_7',
  team: 'team_9',
  clientId: 'web',
  delegation: { sub: 'agent_3' },
  claims: { sub: 'user_2fLq', email: 'ada@example.com', locale: 'de', jti: 'jti-of-the-client-token' },
}

/** An API key: nothing but its owner, its id and its scopes is known. */
export const MACHINE: Principal = {
  kind: 'api-key',
  plane: 'MACHINE',
  actor: 'service',
  issuer: null,
  subject: 'billing-worker',
  credentialId: 'k3yIdOf16Letters',
  session: null,
  sessionDigest: null,
  tokenId: null,
  issuedAt: null,
  expiresAt: null,
  scopes: [],
  roles: [],
  account: null,
  team: null,
  clientId: null,
  delegation: null,
  claims: {},
}

/** Outside Latin-1, outside the basic plane, with a quote and a line break: none of it could stand in a header. */
export const UNICODE_SUBJECT = 'Søren "Ł" 金\r\n😀'

export function routeTo(upstream: string | null, id = `${upstream}-read`): Route {
  return {
    id,
    plane: 'BOTH',
    kind: 'user',
    hosts: [],
    methods: ['GET'],
    path: '/x',
    stripPrefix: null,
    upstream,
    limits: [],
    require: null,
    cookies: [],
    cors: null,
    expiresAt: null,
    source: 'routes/x.yaml:1',
  }
}

export function newKey(algorithm: IdentityAlgorithm): KeyObject {
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519').privateKey
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
}

export function pkcs8(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString()
}

const folder = mkdtempSync(join(tmpdir(), 'planegate-identity-'))
process.once('exit', () => rmSync(folder, { recursive: true }))
let files = 0

/** A new file; gone when the process ends. */
export function fileWith(text: string): string {
  const file = join(folder, `${++files}.pem`)
  writeFileSync(file, text, { mode: 0o600 })
  return file
}

/** A clock that moves when told to. */
export function clockAt(seconds: number) {
  let now = seconds * 1000
  return {
    now: () => now,
    monotonic: () => now,
    /** Seconds; may be negative. */
    advance(by: number) {
      now += by * 1000
    },
  }
}
