import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { test } from 'node:test'

/** Room to the rooms and packages it may import. `node:` stands for Node's own modules. */
const ROOMS: Readonly<Record<string, readonly string[]>> = {
  domain: [],
  problem: ['domain'],
  ports: ['domain', 'problem'],
  invariants: ['domain', 'problem'],
  pipeline: ['domain', 'problem', 'ports', 'invariants'],
  explain: ['domain', 'problem', 'ports', 'invariants', 'pipeline'],
  config: ['domain', 'zod', 'yaml', 'node:'],
  stores: ['domain', 'problem', 'ports', 'node:', 'jose', 'undici', 'kysely', 'find-my-way'],
  audit: ['domain', 'problem', 'ports', 'node:'],
  telemetry: ['domain', 'problem', 'ports', 'node:', 'pino', 'prom-client'],
  tokens: ['domain', 'problem', 'ports', 'node:', 'jose'],
  admin: ['domain', 'problem', 'ports'],
  sdk: ['node:', 'jose'],
  upstream: ['domain', 'problem', 'ports', 'invariants', 'pipeline', 'node:', 'fastify', '@fastify/http-proxy', 'undici'],
  http: [
    'domain',
    'problem',
    'ports',
    'invariants',
    'pipeline',
    'upstream',
    'telemetry',
    'tokens',
    'admin',
    'node:',
    'fastify',
    '@fastify/rate-limit',
  ],
}
const FREE = new Set(['cli', 'composition', 'build.ts', 'main.ts', 'version.ts'])
const SRC = join(import.meta.dirname, '..', 'src')

test('every room imports only what lies below it', () => {
  const wrong: string[] = []
  for (const file of sources()) {
    const [room = ''] = file.split('/')
    if (FREE.has(room)) continue
    const allowed = ROOMS[room]
    if (allowed === undefined) {
      wrong.push(
        `src/${file}: the room "${room}" is not in the table of this test; add it with what it may import, or use a room that exists`,
      )
      continue
    }
    for (const target of imports(file)) {
      const name = roomOf(file, target)
      if (name !== room && !allowed.includes(name)) {
        wrong.push(
          `src/${file} imports ${target}: ${room} may import only ${[room, ...allowed].join(', ')}; pass it in through a port, or move the code`,
        )
      }
    }
  }
  assert.deepEqual(wrong, [])
})

test('the pipeline knows no clock of its own, no process and no timer', () => {
  for (const file of sources().filter((name) => /^(?:pipeline|invariants|domain|problem)\//.test(name))) {
    const text = readFileSync(join(SRC, file), 'utf8')
    assert.doesNotMatch(
      text,
      /\b(?:Date\.now|new Date\(\)|performance\.now|process\.|setTimeout|setInterval|Buffer\b)/,
      `src/${file}`,
    )
  }
})

function sources(): string[] {
  return readdirSync(SRC, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith('.ts'))
}

function imports(file: string): string[] {
  const text = readFileSync(join(SRC, file), 'utf8')
  return [...text.matchAll(/^(?:import|export)\b[^'"]*?from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)].map(
    (match) => match[1] ?? match[2] ?? match[3] ?? '',
  )
}

function roomOf(file: string, target: string): string {
  if (target.startsWith('node:')) return 'node:'
  if (target.startsWith('.')) return relative('.', normalize(join(dirname(file), target))).split('/')[0] ?? ''
  return target.startsWith('@') ? target.split('/').slice(0, 2).join('/') : (target.split('/')[0] ?? '')
}
