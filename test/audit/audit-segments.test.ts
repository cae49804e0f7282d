import assert from 'node:assert/strict'
import { existsSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { logFolder, openLog, written } from './opened-log.ts'
import { auditFiles } from './options.ts'
import { readChain, readLog, until } from './records.ts'
import { assertVerifies, checkpointsOf, verification } from './verified.ts'

const DAY = 86_400_000

describe('segments', () => {
  it('end at their size; each begins with a link to the one before and is closed by a checkpoint', async (test) => {
    const directory = logFolder(test)
    const segment = { size: 20_000, age: DAY, compressAfter: DAY }
    const writer = await openLog(test, directory, { segment })
    for (let round = 0; round < 5; round++) await written(writer, 60)
    await writer.close()
    const files = await auditFiles(directory)
    assert.ok(files.length >= 4, files.join())
    const links = (await readLog(directory)).filter(({ event }) => event === 'segment') as unknown as Record<string, unknown>[]
    assert.deepEqual(
      links.map(({ after }) => after),
      [null, ...files.slice(0, -1)],
    )
    assert.deepEqual(
      links.map(({ cause }) => cause),
      ['start', ...files.slice(1).map(() => 'size')],
    )
    const ends = links.slice(1).map(({ seq }) => Number(seq) - 1)
    const signed = checkpointsOf(directory).map(({ size }) => size)
    assert.ok(ends.every((end) => signed.includes(end)))
    await assertVerifies(directory)
    assert.equal((await readChain(directory)).length, 300)
  })

  it('end at their age', async (test) => {
    const directory = logFolder(test)
    let now = 0
    const clock = { now: () => Date.now(), monotonic: () => performance.now() + now }
    const writer = await openLog(test, directory, { clock })
    await written(writer, 2)
    now += DAY
    await written(writer, 2)
    await written(writer, 2)
    await writer.close()
    const links = (await readLog(directory)).filter(({ event }) => event === 'segment') as unknown as Record<string, unknown>[]
    assert.deepEqual(
      links.map(({ cause }) => cause),
      ['start', 'age'],
    )
    await assertVerifies(directory)
  })

  it('are read from their beginning only, as far back as the newest checkpoint: what lies before is not touched at a start', async (test) => {
    const directory = logFolder(test)
    for (let start = 0; start < 3; start++) {
      const writer = await openLog(test, directory)
      await written(writer, 5)
      await writer.close()
    }
    const [first = '', second = ''] = await auditFiles(directory)
    writeFileSync(join(directory, first), 'nothing')
    await (await openLog(test, directory)).close()
    writeFileSync(join(directory, second), 'nothing')
    await (await openLog(test, directory)).close()
    assert.equal((await verification(directory)).ok, false)
  })
})

describe('compression', () => {
  const segment = { size: 20_000, age: DAY, compressAfter: 0 }

  it('of segments that have ended; their lines verify and are the same', async (test) => {
    const directory = logFolder(test)
    const first = await openLog(test, directory)
    await written(first, 100)
    await first.close()
    const [name = ''] = await auditFiles(directory)
    const plain = readFileSync(join(directory, name))
    const writer = await openLog(test, directory, { segment })
    await written(writer, 2)
    await until('it is compressed', () => existsSync(join(directory, `${name}.gz`)) && !existsSync(join(directory, name)))
    await writer.close()
    assert.deepEqual(gunzipSync(readFileSync(join(directory, `${name}.gz`))), plain)
    assert.ok(statSync(join(directory, `${name}.gz`)).size < plain.length / 2)
    assert.equal(statSync(join(directory, `${name}.gz`)).mode & 0o777, 0o600)
    await assertVerifies(directory)
    await (await openLog(test, directory)).close()
    await assertVerifies(directory)
  })

  it('begun and not ended is done again; until then both files are one segment', async (test) => {
    const directory = logFolder(test)
    const first = await openLog(test, directory)
    await written(first, 10)
    await first.close()
    const [name = ''] = await auditFiles(directory)
    const plain = readFileSync(join(directory, name))
    const second = await openLog(test, directory, { segment })
    await until('it is compressed', () => !existsSync(join(directory, name)))
    await second.close()
    // As when the process died before the old file was deleted.
    writeFileSync(join(directory, name), plain)
    await assertVerifies(directory)
    utimesSync(join(directory, name), new Date(0), new Date(0))
    const third = await openLog(test, directory, { segment })
    await until('it is compressed again', () => !existsSync(join(directory, name)))
    await third.close()
    await assertVerifies(directory)
  })

  it('leaves a torn segment as it is', async (test) => {
    const directory = logFolder(test)
    const first = await openLog(test, directory, { signing: null })
    await written(first, 3)
    await first.close()
    const [name = ''] = await auditFiles(directory)
    const text = readFileSync(join(directory, name), 'utf8')
    writeFileSync(join(directory, name), text.slice(0, -20))
    const writer = await openLog(test, directory, { signing: null, segment })
    await written(writer, 2)
    await writer.close()
    const last = await openLog(test, directory, { signing: null, segment })
    await until('the one after it is compressed', async () => (await auditFiles(directory)).some((file) => file.endsWith('.gz')))
    await last.close()
    assert.equal(readFileSync(join(directory, name), 'utf8'), text.slice(0, -20))
  })
})
