import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseStrictJson } from '../../../src/stores/jose/strict-json.ts'

const read = (text: string) => parseStrictJson(Buffer.from(text))

test('every JSON object that has one reading is read as JSON.parse reads it', () => {
  const texts = fc
    .dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 }), { noNullPrototype: true })
    .map((value) => JSON.stringify(value))
  fc.assert(
    fc.property(texts, (text) => {
      fc.pre(!text.includes('"__proto__"') && text.isWellFormed() && !/\\ud[89a-f]/i.test(text))
      assert.equal(JSON.stringify(read(text)), text)
    }),
  )
})

test('a member that stands twice is found wherever it is and however it is spelled', () => {
  // `__proto__` is refused for what it is, before anybody counts it.
  const name = fc.string({ minLength: 1, unit: 'grapheme-ascii' }).filter((member) => member !== '__proto__')
  const around = fc.constantFrom('%', '{"a":%}', '{"a":[1,%,"b:"]}', '{"x":{"y":[[{"z":%}]]},"\\"":"{"}')
  const escaped = (text: string) => [...text].map((c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`).join('')
  fc.assert(
    fc.property(name, around, fc.boolean(), fc.constantFrom('', ' ', '\n\t'), (member, frame, inEscapes, space) => {
      const first = JSON.stringify(member)
      const second = inEscapes ? `"${escaped(member)}"` : first
      const twice = `{${first}:"${'x'}"${space},${second}${space}:{}}`
      assert.throws(() => read(frame.replace('%', () => twice)), { reason: 'duplicate-member' })
    }),
  )
})

test('the same name in two objects is no repetition', () => {
  const text = '{"a":{"a":[{"a":1},{"a":"a"}]},"b":"a","c":["a","a"],"d":"\\\\\\"a\\":"}'
  assert.equal(JSON.stringify(read(text)), text)
})
