import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CredentialShape, redactCredentials } from '../../src/domain/credential-shape.ts'

const ISSUER = 'https://issuer.example'
const shape = new CredentialShape([ISSUER])
const part = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
const token = (iss: unknown, header: object | string = { alg: 'ES256' }) => `${part(header)}.${part({ iss, sub: 'ä' })}.c2ln`

const found: [name: string, text: string][] = [
  ['an API key', 'pgk_dev_x'],
  ['an API key in capitals, inside of something', 'key=PGK_dev_x;'],
  ['an escaped API key', 'pgk%5Fdev_x'],
  ['a token of a trusted issuer', token(ISSUER)],
  ['one behind a scheme', `Bearer ${token(ISSUER)}`],
  ['one glued to other text', `x${token(ISSUER)}x`],
  ['one without its signature', token(ISSUER).split('.').slice(0, 2).join('.')],
  ['one whose JSON begins with white space', `${part('{\n"alg":"x"}')}.${part(`{\n"iss":"${ISSUER}"}`)}.x`],
  ['one behind another', `${token('https://other.example')},${token(ISSUER)}`],
]
for (const [name, text] of found) test(`finds ${name}`, () => assert.equal(shape.isIn(text), true))

const passed: [name: string, text: string][] = [
  ['nothing', ''],
  ['a token of somebody else', token('https://other.example')],
  ['a token without an issuer', token(undefined)],
  ['an issuer that is a list', token([ISSUER])],
  ['a host name', 'https://keyboard.eyes.example/ewer.ewok'],
  ['broken base64', 'eyJh.eyJ!!!.x'],
  ['broken JSON', `${part('{"a":1}')}.${part('{"iss":')}.x`],
  ['a JSON array', `${part('{"a":1}')}.${part('[1]')}.x`],
]
for (const [name, text] of passed) test(`passes ${name}`, () => assert.equal(shape.isIn(text), false))

test('what is written down has neither keys nor tokens of anybody', () => {
  assert.equal(redactCredentials(`a ${token('https://other.example')} b pgk_dev_abc_def c`), 'a [credential] b [credential] c')
  assert.equal(redactCredentials('curl/8.1 (x.eyes)'), 'curl/8.1 (x.eyes)')
})

test('long texts take time by their length only', () => {
  const began = performance.now()
  for (const text of ['eyJ', '.eyJ', 'eyJ.', 'a.', 'pgk', '-.eyJ']) {
    shape.isIn(text.repeat(100_000))
    redactCredentials(text.repeat(100_000))
  }
  assert.ok(performance.now() - began < 10_000)
})
