import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { Verification } from '../../../src/audit/reading/verification.ts'
import { type Files, filesOf, folder, verify, withScratch } from './log-copies.ts'
import { Dice, flipAt, MUTATIONS, type Mutated } from './mutations.ts'
import { crashedAndClosed } from './sample-logs.ts'

const SEED = Number(process.env.AUDIT_MUTATION_SEED ?? Date.now() % 1_000_000_000)
const RANDOM = 1000

describe('audit verify: mutations', () => {
  it('any byte flipped: found, and the file and the line of a segment are named', async (test) => {
    const directory = folder(test)
    // One note less: there are as many verifications as bytes.
    crashedAndClosed(directory, 1, false)
    const files = filesOf(directory)
    assert.deepEqual((await verify(directory)).findings, [])
    const bytes = [...files].flatMap(([name, { length }]) => Array.from({ length }, (_, at) => ({ name, at })))
    await withScratch(test, bytes, async ({ name, at }, scratch) => {
      const mutated = flipAt(files, name, at, 1 << (at % 8))
      scratch.hold(mutated.files)
      assertNamed(await verify(scratch.directory), mutated, `${name} byte ${at}`)
    })
  })

  it(`random mutations of a longer log, seed ${SEED}: each found, and its place named`, async (test) => {
    const directory = folder(test)
    crashedAndClosed(directory, 12)
    const files = filesOf(directory)
    assert.deepEqual((await verify(directory)).findings, [])
    const dice = new Dice(SEED)
    const names = Object.keys(MUTATIONS)
    const made = Array.from({ length: RANDOM }, (_, index) => names[index % names.length] as string)
    await withScratch(test, made, async (name, scratch) => {
      const mutated = MUTATIONS[name]?.(files, dice)
      if (mutated === undefined || same(mutated.files, files)) return
      scratch.hold(mutated.files)
      assertNamed(await verify(scratch.directory), mutated, `${name} (AUDIT_MUTATION_SEED=${SEED})`)
    })
  })
})

/** A change in the very last line cannot be told from one in the line before it: then both are named. */
function assertNamed({ ok, findings }: Verification, { file, line, seq }: Mutated, what: string): void {
  const [first] = findings
  assert.ok(!ok && first !== undefined, `not found: ${what}`)
  const said = `${what}: ${first.code} ${first.file}:${first.line} (${first.seq}) ${first.message}; expected ${file}:${line} (${seq})`
  assert.ok(first.file !== null || first.seq !== null, `no place: ${said}`)
  if (file === null || (seq !== null && first.seq === seq)) return
  const [, doubtful] = /^line \d+ or line (\d+) was altered/.exec(first.message) ?? []
  if (seq !== null && Number(doubtful) === seq) return
  assert.equal(first.file, file, said)
  if (line !== null && doubtful === undefined) assert.equal(first.line, line, said)
}

function same(one: Files, other: Files): boolean {
  return one.size === other.size && [...one].every(([name, bytes]) => other.get(name)?.equals(bytes))
}
