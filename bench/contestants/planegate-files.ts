import { generateKeyPairSync } from 'node:crypto'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { AUDIENCE, ISSUER, type Issuer } from './tokens.ts'

/** What a run may want otherwise. */
export interface PlanegateSettings {
  /** Origin of the upstream. */
  readonly upstream: string
  readonly issuer: Issuer
  /** Requests that one address, and one subject, may make at once. */
  readonly allowance?: number
  readonly binding?: 'session' | 'request'
  /** Routes `/r/N/things/:id` for people and `/m/N/things/:id` for machines, besides those that every run has. */
  readonly routes?: number
}

/** More than any run asks for, so that the limits are taken from and never reached. */
const PLENTY = 100_000_000

/** Writes a gateway's folder: keys, gateway.yaml and route-plane files (JSON is YAML). */
export function writeConfiguration(parent: string, settings: PlanegateSettings): { config: string; database: string } {
  const folder = mkdtempSync(join(parent, 'planegate-'))
  for (const name of ['keys', 'routes', 'data']) mkdirSync(join(folder, name))
  for (const name of ['identity', 'audit']) {
    const key = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })
    writeFileSync(join(folder, 'keys', `${name}.pem`), key, { mode: 0o600 })
  }
  const config = join(folder, 'gateway.yaml')
  const database = `sqlite:${join(folder, 'data', 'planegate.db')}`
  writeFileSync(config, JSON.stringify(gatewayOf(settings, database), null, 2))
  writeFileSync(join(folder, 'routes', 'things.yaml'), JSON.stringify(commonRoutes(), null, 2))
  const { routes = 10 } = settings
  writeFileSync(join(folder, 'routes', 'many.yaml'), JSON.stringify(numberedRoutes(routes), null, 2))
  return { config, database }
}

function gatewayOf({ issuer, upstream, allowance = PLENTY, binding = 'session' }: PlanegateSettings, database: string): object {
  const limit = { rate: `${allowance}/min`, burst: allowance }
  return {
    environment: 'production',
    publicOrigin: 'https://api.bench.example',
    server: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    providers: [
      {
        name: 'bench',
        plane: 'HUMAN',
        issuer: ISSUER,
        audiences: [AUDIENCE],
        algorithms: [issuer.algorithm],
        jwks: { file: issuer.jwksFile },
        requiredClaims: ['sub', 'sid'],
      },
    ],
    identity: { key: { file: './keys/identity.pem' }, binding },
    limits: [
      { name: 'per-address', key: 'ip', ...limit },
      { name: 'per-subject', key: 'subject', ...limit },
    ],
    stores: { database: { url: database } },
    audit: { directory: './data/audit', key: { file: './keys/audit.pem' } },
    upstreams: { things: { targets: [upstream] } },
    roles: { viewer: ['things:view'] },
  }
}

/** The policy asks for a scope and for a permission that a role grants. */
const POLICY = { limits: ['per-subject'], require: { scopes: ['things:read'], permissions: ['things:view'] } }
const KEY_POLICY = { limits: ['per-subject'], require: { scopes: ['things:read'] } }

function commonRoutes(): object {
  return {
    plane: 'HUMAN_ONLY',
    upstream: 'things',
    routes: [
      { id: 'things', methods: ['GET', 'POST'], path: '/things/*', ...POLICY },
      { id: 'machine-things', plane: 'MACHINE_ONLY', methods: ['GET', 'POST'], path: '/machine/things/*', ...KEY_POLICY },
    ],
  }
}

/** Half of them for people and half for machines. */
function numberedRoutes(count: number): object {
  const routes = Array.from({ length: Math.ceil(count / 2) }, (_, number) => [
    { id: `r-${number}`, path: `/r/${number}/things/:id`, ...POLICY },
    { id: `m-${number}`, plane: 'MACHINE_ONLY', path: `/m/${number}/things/:id`, ...KEY_POLICY },
  ])
  return { plane: 'HUMAN_ONLY', upstream: 'things', routes: routes.flat() }
}
