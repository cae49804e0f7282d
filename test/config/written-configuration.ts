import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after } from 'node:test'
import { type Finding, formatFinding } from '../../src/config/finding.ts'
import { type Loaded, loadGateway } from '../../src/config/load.ts'

/** The moment at which every configuration of these tests is read. */
export const NOW = Date.UTC(2026, 0, 15, 12)

/** A gateway without mistakes; tests replace or append single lines. */
export const GATEWAY = `environment: development
publicOrigin: http://127.0.0.1:8080
invariants: { workerPaths: [/workers/*], adminPaths: [/admin/*] }
identity: { key: { file: ./keys/identity.pem } }
limits:
  - { name: per-address, key: ip, rate: 600/min, burst: 100 }
  - { name: per-subject, key: subject, rate: 300/min }
providers:
  - { name: people, plane: HUMAN, issuer: https://id.example.com, audiences: [api], algorithms: [RS256] }
upstreams:
  accounts: { targets: [http://127.0.0.1:3001] }
roles: { admin: [accounts:write] }
`

export const ROUTES = `plane: HUMAN_ONLY
upstream: accounts
routes:
  - { id: accounts, path: /accounts/*, require: any }
`

/** Writes a configuration into a folder that is removed at the end, and gives the folder. */
export function folderOf(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'planegate-config-'))
  after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), content)
  }
  return folder
}

export function load(gateway: string, routes: string | null = ROUTES, env: NodeJS.ProcessEnv = {}): Loaded {
  const files = routes === null ? { 'gateway.yaml': gateway } : { 'gateway.yaml': gateway, 'routes/main.yaml': routes }
  return loadGateway(join(folderOf(files), 'gateway.yaml'), { now: NOW, env })
}

/** The routes file of a few routes, each given as one flow map. */
export function routes(...entries: string[]): string {
  return `plane: HUMAN_ONLY\nupstream: accounts\nroutes:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`
}

export function loaded(result: Loaded): Extract<Loaded, { ok: true }> {
  assert.ok(result.ok, result.ok ? '' : result.mistakes.map(formatFinding).join('\n'))
  return result
}

/** `path: message` of what was found, without the file and the place. */
export function messages(result: Loaded): string[] {
  return (result.ok ? [] : result.mistakes).map(brief)
}

export function warnings(result: Loaded): string[] {
  return loaded(result).warnings.map(brief)
}

function brief({ path, message }: Finding): string {
  return `${path}: ${message}`
}
