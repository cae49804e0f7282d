import { cpSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { forged, forgingKey, publicJwk } from '../attack/forge.ts'
import { filesOf, type Lifetime } from './program.ts'

/** A gateway with one set of files that runs as well in production as in development: its provider's keys are in a file. */

export const ADMIN_TOKEN = 'an-administrator-of-the-tests-of-the-log'
export const ADMIN_ENV = { PLANEGATE_ADMIN_TOKEN: ADMIN_TOKEN }
const AUDIENCE = 'https://api.example.com'
const ISSUER = 'https://id.example.com'
const KEY = forgingKey('ES256', 'key-1')
const ROUTES = 'plane: BOTH\nupstream: things\nroutes:\n  - { id: things, path: /things, require: any }\n'
const CONFIG = `
environment: development
publicOrigin: ${AUDIENCE}
server: { host: 127.0.0.1, port: 0 }
admin: { host: 127.0.0.1, port: 0, token: { env: PLANEGATE_ADMIN_TOKEN } }
routes: ./routes
providers:
  - name: main
    plane: HUMAN
    issuer: ${ISSUER}
    audiences: [${AUDIENCE}]
    algorithms: [ES256]
    jwks: { file: ./keys.json }
    requiredClaims: [sub]
identity: { key: { file: ./keys/identity.pem } }
stores: { database: { url: 'sqlite:./data/planegate.db' } }
`

export interface AuditGatewayFiles {
  readonly folder: string
  readonly development: string
  readonly production: string
}

/** `audit`: what the section says beside directory and key, as the members of a flow mapping. */
export function auditGatewayFiles(lifetime: Lifetime, upstream: string, audit = ''): AuditGatewayFiles {
  const section = `audit: { directory: ./data/audit, key: { file: ./keys/audit.pem }${audit === '' ? '' : `, ${audit}`} }\n`
  const config = `upstreams: { things: { targets: ['${upstream}'] } }\n${section}`
  const { folder, file } = filesOf(lifetime, config, ROUTES, CONFIG)
  writeFileSync(join(folder, 'keys.json'), JSON.stringify({ keys: [publicJwk(KEY)] }))
  const production = join(folder, 'production.yaml')
  writeFileSync(production, readFileSync(file, 'utf8').replace('environment: development', 'environment: production'))
  return { folder, development: file, production }
}

/** The same files, data included, in another folder. */
export function copied({ folder }: AuditGatewayFiles): AuditGatewayFiles {
  const copy = mkdtempSync(join(tmpdir(), 'planegate-copy-'))
  cpSync(folder, copy, { recursive: true, preserveTimestamps: true })
  return { folder: copy, development: join(copy, 'gateway.yaml'), production: join(copy, 'production.yaml') }
}

/** Headers of a request that is allowed, and of two that are refused. */
export function sampleHeaders(): Record<string, string>[] {
  const now = Math.floor(Date.now() / 1000)
  const claims = { iss: ISSUER, sub: 'alice', aud: AUDIENCE, iat: now, exp: now + 3600 }
  const good = forged(KEY, { alg: 'ES256', typ: 'at+jwt', kid: KEY.kid }, claims)
  return [{ authorization: `Bearer ${good}` }, {}, { authorization: `Bearer ${good.slice(0, -8)}AAAAAAAA` }]
}
