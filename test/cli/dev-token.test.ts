import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { devToken } from '../../src/cli/dev-token.ts'

const ROUTES = `plane: HUMAN_ONLY
upstream: accounts
routes:
  - { id: accounts, path: /accounts, require: any }
`

function configuration(t: TestContext, development: string, environment = 'development'): string {
  const folder = mkdtempSync(join(tmpdir(), 'planegate-'))
  t.after(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'routes'))
  writeFileSync(join(folder, 'routes', 'accounts.yaml'), ROUTES)
  writeFileSync(
    join(folder, 'gateway.yaml'),
    `environment: ${environment}
publicOrigin: ${environment === 'development' ? 'http://127.0.0.1:8080' : 'https://api.example.com'}
routes: ./routes
${development}
identity: { issuer: http://127.0.0.1:8080, key: { file: ./identity.pem } }
upstreams: { accounts: { targets: ['http://127.0.0.1:3000'], audience: accounts } }
audit: { directory: ./audit, key: { file: ./audit.pem } }
`,
  )
  return join(folder, 'gateway.yaml')
}

async function ran(argv: string[]) {
  const out: string[] = []
  const err: string[] = []
  const code = await devToken(argv, { out: (text) => out.push(text), err: (text) => err.push(text) })
  return { code, out: out.join(''), err: err.join('') }
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())
}

test('prints a token that says what was asked for', async (t) => {
  const config = configuration(t, 'development: { issuer: true }')
  const argv = [
    '--config',
    config,
    '--sub',
    'alice',
    '--scopes',
    'a,b',
    '--roles',
    'admin',
    '--ttl',
    '5m',
    '--claims',
    '{"team_id":"t1"}',
  ]
  const { code, out, err } = await ran(argv)
  assert.deepEqual([code, err], [0, ''])
  assert.match(out, /^[\w-]+\.[\w-]+\.[\w-]+\n$/, 'the token alone, so that a shell can take it')
  const { iat, exp, jti, sid, ...claims } = claimsOf(out.trim())
  assert.deepEqual(claims, {
    iss: 'http://127.0.0.1:8080/development',
    aud: 'http://127.0.0.1:8080',
    sub: 'alice',
    plane: 'human',
    scope: 'a b',
    roles: ['admin'],
    team_id: 't1',
  })
  assert.equal(Number(exp) - Number(iat), 300)
  assert.ok(typeof sid === 'string' && typeof jti === 'string')
  const machine = await ran(['--config', config, '--sub', 'worker', '--plane', 'machine', '--audience', 'x', '--json'])
  const { token, ...rest } = JSON.parse(machine.out)
  assert.deepEqual(rest, { sub: 'worker', plane: 'machine' })
  assert.deepEqual([claimsOf(token).sid, claimsOf(token).aud], [undefined, 'x'])
})

test('wrong usage is 2, no such issuer is 1, and both say why', async (t) => {
  const config = configuration(t, 'development: { issuer: true }')
  const rows: [name: string, argv: string[], code: number, message: RegExp][] = [
    ['no subject', ['--config', config], 2, /--sub/],
    ['an empty subject', ['--config', config, '--sub', ''], 2, /--sub/],
    ['an unknown plane', ['--config', config, '--sub', 'a', '--plane', 'both'], 2, /human or machine/],
    ['a lifetime that is none', ['--config', config, '--sub', 'a', '--ttl', 'soon'], 2, /duration/],
    ['a lifetime of zero', ['--config', config, '--sub', 'a', '--ttl', '0s'], 2, /duration/],
    ['claims that are no object', ['--config', config, '--sub', 'a', '--claims', '[1]'], 2, /JSON object/],
    ['claims that are no JSON', ['--config', config, '--sub', 'a', '--claims', '{'], 2, /JSON object/],
    ['an unknown option', ['--config', config, '--sub', 'a', '--admin'], 2, /--admin/],
    ['a word too many', ['--config', config, '--sub', 'a', 'b'], 2, /unexpected/],
    ['the issuer switched off', ['--config', configuration(t, ''), '--sub', 'a'], 1, /development: \{ issuer: true \}|provider/],
    ['production', ['--config', configuration(t, 'development: { issuer: true }', 'production'), '--sub', 'a'], 1, /development/],
    ['no configuration', ['--config', '/nonexistent/gateway.yaml', '--sub', 'a'], 1, /gateway\.yaml/],
  ]
  for (const [name, argv, code, message] of rows) {
    const result = await ran(argv)
    assert.equal(result.code, code, `${name}: ${result.err}`)
    assert.equal(result.out, '', name)
    assert.match(result.err, message, name)
    assert.match(result.err, /^planegate dev-token: /, name)
  }
})
