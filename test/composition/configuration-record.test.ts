import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { configurationRecord } from '../../src/composition/configuration-record.ts'
import { loadGateway } from '../../src/config/load.ts'
import { VERSION } from '../../src/version.ts'
import { folderOf, GATEWAY, loaded, NOW, ROUTES } from '../config/written-configuration.ts'
import { fakeClock } from '../stores/api-key-fixtures.ts'

const SECOND = `plane: PUBLIC\nupstream: accounts\nroutes:\n  - { id: status, path: /status, reason: uptime probe }\n`
const NAMES = ['gateway.yaml', 'routes/a.yaml', 'routes/b.yaml']

function written() {
  const folder = folderOf({
    'gateway.yaml': GATEWAY,
    'routes/b.yaml': SECOND,
    'routes/a.yaml': ROUTES,
    'routes/notes.txt': 'not read',
  })
  const record = () => {
    const { gateway } = loaded(loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} }))
    return configurationRecord(gateway, 'command-line root@host', fakeClock(NOW))
  }
  const digests = () =>
    NAMES.map(
      (name) =>
        `${createHash('sha256')
          .update(readFileSync(join(folder, name)))
          .digest('hex')}  ${join(folder, name)}`,
    )
  return { folder, record, digests }
}

describe('record of the configuration', () => {
  it('names version, environment, and every file with its digest as sha256sum does', () => {
    const { record, digests } = written()
    assert.deepEqual(record(), {
      time: new Date(NOW).toISOString(),
      by: 'command-line root@host',
      version: VERSION,
      environment: 'development',
      files: digests(),
    })
  })

  for (const [index, name] of NAMES.entries()) {
    it(`differs when ${name} does, by a comment even`, () => {
      const { folder, record, digests } = written()
      const before = record().files
      appendFileSync(join(folder, name), '# another\n')
      const after = record().files
      assert.deepEqual(after, digests())
      assert.deepEqual(
        after.flatMap((line, place) => (line === before[place] ? [] : [place])),
        [index],
      )
    })
  }

  it('digests bytes, not what they are read as', () => {
    const { folder, record, digests } = written()
    writeFileSync(join(folder, 'gateway.yaml'), Buffer.concat([Buffer.from(`${GATEWAY}# `), Buffer.from([0xff, 0x0a])]))
    assert.deepEqual(record().files, digests())
  })
})
