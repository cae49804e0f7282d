import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalPath } from '../../src/domain/canonical-path.ts'
import { AMBIGUOUS_PATHS } from '../attack/ambiguous-paths.ts'

for (const { path, why } of AMBIGUOUS_PATHS) {
  test(`refuses ${JSON.stringify(path)} as ${why}`, () => {
    assert.deepEqual(canonicalPath(path), { ambiguity: why })
  })
}

const canonical: [string, string][] = [
  ['/', '/'],
  ['/a', '/a'],
  ['/a/', '/a/'],
  ['/a/b.c/d-e_f~g', '/a/b.c/d-e_f~g'],
  ['/.well-known/jwks.json', '/.well-known/jwks.json'],
  ['/a/.hidden', '/a/.hidden'],
  ['/a/..b', '/a/..b'],
  ['/a/...', '/a/...'],
  ['/%61dmin', '/admin'],
  ['/%41%5A%7e', '/AZ~'],
  ['/a%20b', '/a%20b'],
  ['/caf%c3%a9', '/caf%C3%A9'],
  ['/100%25', '/100%25'],
  ["/a:b@c,d=e&f!$'()*", "/a:b@c,d=e&f!$'()*"],
  ['/%40ops/%3a%2c%3D%26', '/@ops/:,=&'],
  ['/r+d', '/r%2Bd'],
  ['/r%2bd', '/r%2Bd'],
  ['/a%3fb%23c', '/a%3Fb%23C'.replace('C', 'c')],
  ['/a"b<c>d^e`f{g|h}i', '/a%22b%3Cc%3Ed%5Ee%60f%7Bg%7Ch%7Di'],
  ['/[x]', '/%5Bx%5D'],
]
for (const [raw, path] of canonical) {
  test(`reads ${raw} as ${path}`, () => assert.deepEqual(canonicalPath(raw), { path }))
}

test('a canonical path is its own canonical form, and URL parsers leave it alone', () => {
  const character = fc.oneof(
    fc.constantFrom(...'abcAZ09-._~!$&\'()*+,;=:@/%\\?#[]{}|^"<> '),
    fc.constantFrom('%2e', '%2F', '%41', '%c3%a9', '%25', '%20', '%00'),
  )
  fc.assert(
    fc.property(fc.array(character, { maxLength: 24 }), (pieces) => {
      const reading = canonicalPath(`/${pieces.join('')}`)
      if ('ambiguity' in reading) return
      assert.deepEqual(canonicalPath(reading.path), reading)
      assert.equal(new URL(`http://upstream${reading.path}`).pathname, reading.path)
    }),
    { numRuns: 5_000 },
  )
})
