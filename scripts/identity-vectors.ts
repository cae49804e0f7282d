// Writes test/vectors/identity-*.json: assertions of every algorithm with the keys to verify them. Run it only when the form of the
// assertion changes: each run makes new keys, signs with them and forgets their private parts.
import { mkdirSync, writeFileSync } from 'node:fs'
import { loadIdentityKeys } from '../src/tokens/identity-keys.ts'
import { fileWith, ISSUER, NOW, newKey, pkcs8 } from '../test/tokens/identity-fixtures.ts'
import { vectorsFor } from '../test/tokens/vector-inputs.ts'

const FILES = { EdDSA: 'identity-ed25519.json', ES256: 'identity-es256.json', RS256: 'identity-rs256.json' } as const

const folder = new URL('../test/vectors/', import.meta.url)
mkdirSync(folder, { recursive: true })
for (const algorithm of ['EdDSA', 'ES256', 'RS256'] as const) {
  const keys = loadIdentityKeys({ keyFile: fileWith(pkcs8(newKey(algorithm))), previousKeyFiles: [] })
  const content = {
    comment:
      'Identity assertions to try a verifier with. The key was made for this file alone; its private part was thrown away.',
    algorithm,
    issuer: ISSUER,
    audience: 'accounts',
    now: NOW + 10,
    jwks: keys.jwks(),
    vectors: vectorsFor(keys),
  }
  writeFileSync(new URL(FILES[algorithm], folder), `${JSON.stringify(content, null, 2)}\n`)
}
