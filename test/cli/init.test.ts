import assert from 'node:assert/strict'
import { createPrivateKey, createPublicKey } from 'node:crypto'
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { UsageError } from '../../src/cli/arguments.ts'
import { check } from '../../src/cli/check.ts'
import { init } from '../../src/cli/init.ts'
import { folderOf } from '../config/written-configuration.ts'
import { recordedIo } from './recorded-io.ts'

describe('planegate init', () => {
  it('writes a configuration that check accepts strictly', async () => {
    const folder = join(folderOf({}), 'new', 'config')
    const io = recordedIo()
    assert.equal(await init([folder], io), 0, io.written.err)
    const checked = recordedIo()
    assert.equal(await check(['--strict', '--config', join(folder, 'gateway.yaml')], checked), 0, checked.written.out)
    assert.match(checked.written.out, /4 routes, 1 provider, 0 warnings, no mistakes/)
  })

  it('makes fresh keys that only their owner reads', async () => {
    const read = async () => {
      const folder = folderOf({})
      await init([folder], recordedIo())
      return (name: string) => ({
        pem: readFileSync(join(folder, 'keys', name), 'utf8'),
        mode: statSync(join(folder, 'keys', name)).mode & 0o777,
      })
    }
    const [first, second] = [await read(), await read()]
    for (const name of ['identity.pem', 'audit.pem']) {
      assert.equal(first(name).mode, 0o600)
      assert.match(first(name).pem, /^-----BEGIN PRIVATE KEY-----/)
      assert.equal(createPrivateKey(first(name).pem).asymmetricKeyType, 'ed25519')
      assert.notEqual(first(name).pem, second(name).pem)
    }
    assert.notEqual(first('identity.pem').pem, first('audit.pem').pem)
    const spki = (pem: string) => createPublicKey(pem).export({ type: 'spki', format: 'pem' })
    assert.equal(spki(first('audit.pem').pem), first('audit.pub.pem').pem)
  })

  it('lets nobody else look into the folder of the keys', async () => {
    const folder = join(folderOf({}), 'config')
    await init([folder], recordedIo())
    assert.equal(statSync(join(folder, 'keys')).mode & 0o777, 0o700)
  })

  it('has the audit log signed, and says what the two audit keys are for', async () => {
    const folder = folderOf({})
    await init([folder], recordedIo())
    const text = readFileSync(join(folder, 'gateway.yaml'), 'utf8')
    assert.match(
      text,
      /^ {2}key: \{ file: \.\/keys\/audit\.pem \} # signs the state of the log; keys\/audit\.pub\.pem is for whoever verifies/m,
    )
  })

  it('keeps keys and data out of a repository', async () => {
    const folder = folderOf({})
    await init([folder], recordedIo())
    const ignored = readFileSync(join(folder, '.gitignore'), 'utf8').split('\n')
    assert.ok(ignored.includes('keys/') && ignored.includes('data/'))
  })

  it('never overwrites: it names what is there and writes nothing', async () => {
    const folder = folderOf({ 'keys/identity.pem': 'precious' })
    const io = recordedIo()
    assert.equal(await init([folder], io), 1)
    assert.equal(io.written.err, `nothing was written, because these files exist: ${join(folder, 'keys/identity.pem')}\n`)
    assert.deepEqual(readdirSync(folder), ['keys'])
    assert.equal(readFileSync(join(folder, 'keys/identity.pem'), 'utf8'), 'precious')
  })

  it('does not write through a link that leads nowhere', async () => {
    const folder = folderOf({})
    symlinkSync(join(folder, 'elsewhere'), join(folder, 'gateway.yaml'))
    assert.equal(await init([folder], recordedIo()), 1)
    assert.deepEqual(readdirSync(folder), ['gateway.yaml'])
  })

  it('says so when the folder cannot be written', async () => {
    const folder = folderOf({ file: '' })
    const io = recordedIo()
    assert.equal(await init([join(folder, 'file', 'config')], io), 1)
    assert.match(io.written.err, /cannot be written|exist/)
  })

  it('writes only JSON with --json', async () => {
    const io = recordedIo()
    const folder = folderOf({})
    assert.equal(await init(['--json', folder], io), 0)
    assert.ok(JSON.parse(io.written.out).files.includes(join(folder, 'gateway.yaml')))
    assert.equal(await init(['--json', folder], recordedIo()), 1)
  })

  it('takes one folder at most', async () => {
    await assert.rejects(init(['a', 'b'], recordedIo()), UsageError)
  })
})
