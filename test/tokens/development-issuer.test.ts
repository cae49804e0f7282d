import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { keySetsOf } from '../../src/stores/jose/key-sets.ts'
import { tokenVerifier } from '../../src/stores/jose/token-verifier.ts'
import { type DevelopmentClaims, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { DevelopmentKeyError } from '../../src/tokens/development-key.ts'

const run = promisify(execFile)
const NOW = 1_800_000_000_000
const clock = { now: () => NOW, monotonic: () => 0 }

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'planegate-'))
  t.after(() => rmSync(path, { recursive: true }))
  return path
}

function opened(at: string) {
  return openDevelopmentIssuer({ folder: at, issuer: 'http://127.0.0.1:8080/development', audience: 'http://127.0.0.1:8080' })
}

test('its tokens are verified like those of any provider', async (t) => {
  const { provider, sign } = opened(join(folder(t), 'data', 'deep'))
  const verifier = tokenVerifier({ providers: [provider], keySets: keySetsOf([provider], { clock }), clock })
  const rows: [name: string, claims: DevelopmentClaims, options: object, outcome: string][] = [
    ['human', { sub: 'alice', plane: 'human', sid: 's' }, {}, 'HUMAN alice'],
    ['machine', { sub: 'worker', plane: 'machine' }, {}, 'MACHINE worker'],
    ['expired', { sub: 'alice', plane: 'human' }, { now: NOW - 7_200_000 }, 'expired'],
    ['short', { sub: 'alice', plane: 'human' }, { ttl: 1, now: NOW - 32_000 }, 'expired'],
    ['for someone else', { sub: 'alice', plane: 'human' }, { audience: 'https://other.example' }, 'audience-unknown'],
    ['of no plane', { sub: 'alice', plane: 'robot' as 'human' }, {}, 'plane-undecided'],
  ]
  for (const [name, claims, options, outcome] of rows) {
    const verification = await verifier.verify(sign(claims, { now: NOW, ...options }))
    const told = verification.verified ? `${verification.principal.plane} ${verification.principal.subject}` : verification.reason
    assert.equal(told, outcome, name)
  }
})

test('the key is made once, kept from others, and only its public part is published', (t) => {
  const at = join(folder(t), 'data')
  const first = opened(at)
  const key = join(at, 'development-issuer.pem')
  assert.equal(statSync(key).mode & 0o777, 0o600)
  assert.equal(statSync(at).mode & 0o777, 0o700)
  assert.deepEqual(opened(at).jwks(), first.jwks())
  assert.deepEqual(Object.keys(first.jwks().keys[0] ?? {}).sort(), ['alg', 'crv', 'kid', 'kty', 'use', 'x'])
  const { keys } = first.provider
  assert.ok(keys.from === 'file')
  assert.deepEqual(JSON.parse(readFileSync(keys.path, 'utf8')), first.jwks())
})

test('processes that start together agree on one key', async (t) => {
  const at = join(folder(t), 'data')
  const script = `import { openDevelopmentIssuer } from ${JSON.stringify(join(import.meta.dirname, '../../src/tokens/development-issuer.ts'))}
    console.log(openDevelopmentIssuer({ folder: ${JSON.stringify(at)}, issuer: 'x', audience: 'x' }).jwks().keys[0].kid)`
  const runs = Array.from({ length: 4 }, () => run(process.execPath, ['--input-type=module', '-e', script]))
  const kids = (await Promise.all(runs)).map(({ stdout }) => stdout.trim())
  assert.match(kids[0] ?? '', /^[0-9a-f]{16}$/)
  assert.equal(new Set(kids).size, 1)
})

test('a key file that is something else is not replaced', (t) => {
  const at = folder(t)
  const file = join(at, 'development-issuer.pem')
  writeFileSync(file, 'not a key')
  assert.throws(
    () => opened(at),
    (error) => error instanceof DevelopmentKeyError && error.message.includes(file),
  )
  assert.equal(readFileSync(file, 'utf8'), 'not a key')
  assert.throws(() => opened(join(file, 'below')), DevelopmentKeyError)
})
