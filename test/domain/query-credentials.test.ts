import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CredentialShape } from '../../src/domain/credential-shape.ts'
import { withoutCredentials as read } from '../../src/domain/query-credentials.ts'

const ISSUER = 'https://issuer.example'
const shape = new CredentialShape([ISSUER])
const withoutCredentials = (query: string) => read(query, shape)
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
const token = (iss: string) => `${part({ alg: 'ES256' })}.${part({ iss, sub: 'a' })}.c2ln`

const hidden = [
  'access_token=x',
  'ACCESS_TOKEN=x',
  'Access-Token=x',
  'access.token=x',
  'access%5Ftoken=x',
  'access%255Ftoken=x',
  '%61ccess_token=x',
  'access+token=x',
  'access%20token=x',
  '%20access_token=x',
  'access_token[]=x',
  'access_token[0]=x',
  'access_token',
  'api_key=x',
  'api-key=x',
  'apikey=x',
  'X-API-Key=x',
  'anything=pgk_dev_x',
  'anything=%70gk_dev_x',
  'pgk_dev_x',
  'anything=xpgk_dev_x',
  'anything=%22pgk_dev_x',
  'anything=Bearer+pgk_dev_x',
  'access_token%00=x',
  'authorization=x',
  `jwt=${token(ISSUER)}`,
  `state=x${token(ISSUER)}`,
  `authorization=Bearer+${token(ISSUER)}`,
]
for (const parameter of hidden) {
  test(`finds and removes ${parameter}`, () => {
    assert.deepEqual(withoutCredentials(parameter), { query: '', credentials: 1 })
    assert.deepEqual(withoutCredentials(`a=1&${parameter}&b=2`), { query: 'a=1&b=2', credentials: 1 })
    assert.deepEqual(withoutCredentials(`a=1;${parameter}`), { query: 'a=1', credentials: 1 })
  })
}

test('counts each one', () => {
  assert.deepEqual(withoutCredentials('access_token=x&api_key=y&q=z'), { query: 'q=z', credentials: 2 })
})

for (const query of [
  '',
  'a=1&b=2',
  'token=csrf',
  'key=value',
  'q=access_token',
  'a=%zz&&b=+',
  'monkey=1&tokens=2',
  'a;b=1&c',
  `state=${token('https://elsewhere.example')}`,
  'a=b.eyc.d',
]) {
  test(`leaves "${query}" byte for byte`, () => assert.deepEqual(withoutCredentials(query), { query, credentials: 0 }))
}
