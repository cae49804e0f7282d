import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { resolveAdminToken, resolveSecret, SecretUnresolved } from '../../src/config/secret-reference.ts'
import { folderOf } from './written-configuration.ts'

describe('a secret reference', () => {
  it('leads to a variable or to a file, without its line end', () => {
    assert.equal(resolveSecret({ env: 'NAME' }, { NAME: 'text' }).reveal(), 'text')
    assert.equal(resolveSecret({ file: join(folderOf({ secret: ' text \n' }), 'secret') }, {}).reveal(), ' text ')
  })

  const folder = folderOf({ empty: '\n', short: 'hunter2' })
  const table: [name: string, resolve: () => unknown, message: RegExp][] = [
    ['variable not set', () => resolveSecret({ env: 'NAME' }, {}), /^environment variable NAME is not set$/],
    ['variable empty', () => resolveSecret({ env: 'NAME' }, { NAME: '' }), /^environment variable NAME is empty$/],
    ['file missing', () => resolveSecret({ file: join(folder, 'no') }, {}), /^file .*\/no cannot be read \(ENOENT\)$/],
    ['file empty', () => resolveSecret({ file: join(folder, 'empty') }, {}), /^file .*\/empty is empty$/],
    [
      'admin token short',
      () => resolveAdminToken({ file: join(folder, 'short') }, {}),
      /^file .*\/short is too short: at least 32 characters are needed$/,
    ],
    ['admin token one short', () => resolveAdminToken({ env: 'T' }, { T: 'x'.repeat(31) }), /too short/],
  ]
  for (const [name, resolve, message] of table) {
    it(`is refused: ${name}`, () => {
      assert.throws(
        resolve,
        (error) => error instanceof SecretUnresolved && message.test(error.message) && !error.message.includes('hunter2'),
      )
    })
  }

  it('an admin token of 32 characters is long enough', () => {
    assert.equal(resolveAdminToken({ env: 'T' }, { T: 'x'.repeat(32) }).reveal().length, 32)
  })
})
