import assert from 'node:assert/strict'
import { createPublicKey, verify } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { createLocalJWKSet, jwtVerify } from 'jose'
import { createIdentityVerifier } from '../../src/sdk/upstream.ts'
import { loadIdentityKeys } from '../../src/tokens/identity-keys.ts'
import { fileWith, newKey, pkcs8 } from './identity-fixtures.ts'
import { type VectorFile, vectorsFor } from './vector-inputs.ts'

const folder = new URL('../vectors/', import.meta.url)
const files = readdirSync(folder)
  .filter((name) => /^identity-.*\.json$/.test(name))
  .map((name): VectorFile => JSON.parse(readFileSync(new URL(name, folder), 'utf8')))

test('there are vectors for every algorithm', () => {
  assert.deepEqual(files.map(({ algorithm }) => algorithm).sort(), ['ES256', 'EdDSA', 'RS256'])
})

for (const { algorithm, issuer, audience, now, jwks, vectors } of files) {
  for (const { name, header, typ, assertion, claims } of vectors) {
    const [head = '', payload = '', signature = ''] = assertion.split('.')

    test(`${algorithm}, ${name}: verifies with jose`, async () => {
      const options = { issuer, audience, typ, algorithms: [algorithm], currentDate: new Date(now * 1000) }
      const verified = await jwtVerify(assertion, createLocalJWKSet(jwks as never), options)
      assert.deepEqual(verified.payload, claims)
    })

    test(`${algorithm}, ${name}: verifies with node:crypto alone`, () => {
      const { kid, alg } = JSON.parse(Buffer.from(head, 'base64url').toString())
      assert.equal(alg, algorithm)
      const jwk = jwks.keys.find((candidate) => candidate.kid === kid)
      const key = { key: createPublicKey({ key: jwk as never, format: 'jwk' }), dsaEncoding: 'ieee-p1363' } as const
      const check = (text: string) =>
        verify(alg === 'EdDSA' ? null : 'sha256', Buffer.from(text), key, Buffer.from(signature, 'base64url'))
      assert.ok(check(`${head}.${payload}`))
      assert.ok(!check(`${head}.${payload}A`))
      assert.deepEqual(JSON.parse(Buffer.from(payload, 'base64url').toString()), claims)
    })

    test(`${algorithm}, ${name}: verifies with planegate/upstream`, async () => {
      const verifier = createIdentityVerifier({ jwks: jwks as never, issuer, audience, now: () => now * 1000 })
      const identity = await verifier.verify({ [header]: assertion })
      assert.equal(identity.subject, claims.sub)
      assert.equal(identity.plane, claims.plane)
      for (const claim of Object.keys(claims)) assert.deepEqual(identity.claim(claim), claims[claim])
    })
  }

  test(`${algorithm}: the gateway still writes what the vectors say`, () => {
    const written = vectorsFor(loadIdentityKeys({ keyFile: fileWith(pkcs8(newKey('EdDSA'))), previousKeyFiles: [] }))
    assert.deepEqual(
      written.map((vector) => ({ ...vector, assertion: vector.assertion.split('.')[1] })),
      vectors.map((vector) => ({ ...vector, assertion: vector.assertion.split('.')[1] })),
    )
  })
}
