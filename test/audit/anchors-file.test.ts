import assert from 'node:assert/strict'
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { fileAnchor } from '../../src/audit/anchors/file-anchor.ts'
import { parseCheckpoints } from '../../src/audit/format/checkpoint.ts'
import { fakeClock, temporaryFolder } from '../stores/api-key-fixtures.ts'
import { checkpoint } from './notes.ts'

const LOG = 'gateway.example.com/0f1e2d'
const OTHER = 'other.example.com/0f1e2d'
const MINUTE = 60_000

async function prepared(test: TestContext, content: string | Buffer | null = null) {
  const path = join(await temporaryFolder(test), 'anchor')
  if (content !== null) writeFileSync(path, content)
  const clock = fakeClock(1_800_000_000_000)
  return { path, clock, anchor: fileAnchor(path, clock), content: () => readFileSync(path, 'utf8') }
}

/** Notes as the file holds them. */
function written(...notes: readonly string[]): string {
  return notes.join('\n')
}

describe('file anchor', () => {
  it('appends notes that the format of audit.checkpoints reads, for its owner only', async (test) => {
    const { path, clock, anchor, content } = await prepared(test)
    for (const size of [1, 2, 3]) {
      await anchor.put(checkpoint(LOG, size), LOG)
      clock.advance(MINUTE)
    }
    assert.equal(content(), written(...[1, 2, 3].map((size) => checkpoint(LOG, size))))
    const { checkpoints, rest } = parseCheckpoints(Buffer.from(content()))
    assert.deepEqual([checkpoints.map(({ size }) => size), rest], [[1, 2, 3], 0])
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  it('takes one a minute, and the last of a stop always', async (test) => {
    const { clock, anchor, content } = await prepared(test)
    const sizes = () => parseCheckpoints(Buffer.from(content())).checkpoints.map(({ size }) => size)
    for (let size = 1; size <= 13; size++) {
      await anchor.put(checkpoint(LOG, size), LOG)
      clock.advance(10_000)
    }
    assert.deepEqual(sizes(), [1, 7, 13])
    await anchor.put(checkpoint(LOG, 14), LOG)
    assert.deepEqual(sizes(), [1, 7, 13])
    await anchor.put(checkpoint(LOG, 15), LOG, true)
    assert.deepEqual(sizes(), [1, 7, 13, 15])
  })

  it('tries again at once when the last attempt failed', async (test) => {
    const { path, anchor, content } = await prepared(test, 'something else\n')
    await assert.rejects(anchor.put(checkpoint(LOG, 1), LOG), { message: /holds something else/ })
    truncateSync(path)
    await anchor.put(checkpoint(LOG, 1), LOG)
    assert.equal(content(), checkpoint(LOG, 1))
  })

  it('looks past any number of notes of another log', async (test) => {
    const others = Array.from({ length: 2_000 }, (_, index) => checkpoint(OTHER, index + 1))
    const { path, anchor } = await prepared(test, written(checkpoint(LOG, 77), ...others))
    assert.ok(statSync(path).size > 4 * 64 * 1024)
    assert.equal(await anchor.latest(LOG), checkpoint(LOG, 77))
    assert.equal(await anchor.latest(OTHER), others.at(-1))
    assert.equal(await anchor.latest('unknown'), null)
    await assert.rejects(anchor.put(checkpoint(LOG, 76), LOG), { message: /over 77 lines/ })
  })

  it('finds the newest wherever reading begins in a note', async (test) => {
    const base = Array.from({ length: 400 }, (_, index) => checkpoint(OTHER, index + 1))
    for (let longer = 0; longer < 300; longer += 7) {
      const origin = `${LOG}${'x'.repeat(longer)}`
      const { anchor } = await prepared(test, written(checkpoint(LOG, 9), ...base, checkpoint(origin, 5)))
      assert.equal(await anchor.latest(LOG), longer === 0 ? checkpoint(LOG, 5) : checkpoint(LOG, 9))
    }
  })
})

describe('a file anchor after a crash', () => {
  it('does without what was cut short at any byte, and takes it off before it goes on', async (test) => {
    const first = checkpoint(LOG, 1)
    const whole = Buffer.from(written(first, checkpoint(LOG, 2)))
    for (let length = Buffer.byteLength(first); length < whole.length; length++) {
      const { anchor, content } = await prepared(test, whole.subarray(0, length))
      assert.equal(await anchor.latest(LOG), first, `cut at ${length}`)
      await anchor.put(checkpoint(LOG, 3), LOG)
      assert.equal(content(), written(first, checkpoint(LOG, 3)), `cut at ${length}`)
    }
  })

  it('also of the very first note', async (test) => {
    const whole = Buffer.from(checkpoint(LOG, 1))
    for (let length = 0; length < whole.length; length++) {
      const { anchor, content } = await prepared(test, whole.subarray(0, length))
      assert.equal(await anchor.latest(LOG), null, `cut at ${length}`)
      await anchor.put(checkpoint(LOG, 3), LOG)
      assert.equal(content(), checkpoint(LOG, 3), `cut at ${length}`)
    }
  })

  it('takes off the zeros that a power cut leaves', async (test) => {
    const first = checkpoint(LOG, 1)
    for (const torn of ['\0'.repeat(200), `\n${LOG}\n2\n${'\0'.repeat(100)}`]) {
      const { anchor, content } = await prepared(test, `${first}${torn}`)
      assert.equal(await anchor.latest(LOG), first)
      await anchor.put(checkpoint(LOG, 3), LOG)
      assert.equal(content(), written(first, checkpoint(LOG, 3)))
    }
  })
})

/** What could be the beginning of a note of some other log: not in the way of reading, and in that of writing. */
const LIKE_TORN = new Set(['a line', 'a word', 'a line after an empty line', 'bytes that are no text'])

describe('a file anchor with something else in it is not touched', () => {
  const note = checkpoint(LOG, 1)
  const garbage: Readonly<Record<string, string | Buffer>> = {
    'a line': 'root:x:0:0:root:/root:/bin/bash\n',
    'a word': 'hostname',
    'an empty line': '\n',
    'a line behind a note': `${note}hello\n`,
    'two empty lines behind a note': `${note}\n\n`,
    'a line after an empty line': `${note}\nhello\n`,
    'a line between two notes': written(note, 'hello\n', checkpoint(LOG, 2)),
    'a note with a changed size': written(note, checkpoint(LOG, 2).replace('\n2\n', '\n02\n'), checkpoint(LOG, 3)),
    'many zeros': Buffer.alloc(5_000),
    'bytes that are no text': Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28]),
    'much that is no note': Buffer.alloc(300_000, 'x'),
    'much before a note': `${'x'.repeat(300_000)}\n\n${note}`.replace('\n\n', '\n'),
  }
  for (const [name, content] of Object.entries(garbage)) {
    it(name, async (test) => {
      const { path, anchor } = await prepared(test, content)
      await assert.rejects(anchor.put(checkpoint(LOG, 9), LOG, true), {
        message: /holds something else than checkpoints, from byte \d+ on/,
      })
      assert.deepEqual(readFileSync(path), Buffer.from(content))
      if (!LIKE_TORN.has(name)) await assert.rejects(anchor.latest(LOG), { message: /holds something else than checkpoints/ })
    })
  }

  it('the torn note of another log', async (test) => {
    const { anchor, content } = await prepared(test, checkpoint(OTHER, 1).slice(0, 40))
    assert.equal(await anchor.latest(LOG), null)
    await assert.rejects(anchor.put(checkpoint(LOG, 9), LOG), { message: /holds something else/ })
    assert.equal(content(), checkpoint(OTHER, 1).slice(0, 40))
  })

  it('a folder', async (test) => {
    const { path, anchor } = await prepared(test)
    await mkdir(path)
    await assert.rejects(anchor.put(checkpoint(LOG, 9), LOG), { message: `${path} is not a file.` })
    await assert.rejects(anchor.latest(LOG), { message: `${path} is not a file.` })
  })
})
