import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { StallWatch, type Watched } from '../../src/upstream/stall-watch.ts'

const PERIOD = 100

function watchOf(t: TestContext) {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const watch = new StallWatch(PERIOD)
  t.after(() => watch.close())
  const looked: string[] = []
  const watched = (name: string, seen: () => void = () => {}): Watched => ({
    watchedAt: -1,
    inspect() {
      looked.push(name)
      seen()
    },
  })
  const look = () => {
    looked.length = 0
    t.mock.timers.tick(PERIOD)
    return looked.toSorted()
  }
  return { watch, watched, look }
}

test('everything that is watched is looked at once a period', (t) => {
  const { watch, watched, look } = watchOf(t)
  for (const name of ['a', 'b', 'c']) watch.add(watched(name))
  assert.deepEqual(look(), ['a', 'b', 'c'])
  assert.equal(watch.size, 3)
})

test('what was deleted is looked at no more, in whatever order it came and went', (t) => {
  const { watch, watched, look } = watchOf(t)
  const all = ['a', 'b', 'c', 'd'].map((name) => watched(name))
  for (const one of all) watch.add(one)
  for (const [index, left] of [
    [1, ['a', 'c', 'd']],
    [3, ['a', 'c']],
    [0, ['c']],
    [2, []],
  ] as const) {
    watch.delete(all[index] as Watched)
    assert.deepEqual(look(), left)
  }
  assert.equal(watch.size, 0)
})

test('adding twice and deleting twice do nothing more than once', (t) => {
  const { watch, watched, look } = watchOf(t)
  const [one, other] = [watched('one'), watched('other')]
  watch.add(one)
  watch.add(one)
  watch.add(other)
  assert.deepEqual(look(), ['one', 'other'])
  watch.delete(one)
  watch.delete(one)
  assert.deepEqual(look(), ['other'])
  watch.add(one)
  assert.deepEqual(look(), ['one', 'other'])
})

test('what ends while it is looked at takes nobody else with it', (t) => {
  const { watch, watched, look } = watchOf(t)
  const ending: Watched = watched('ending', () => watch.delete(ending))
  for (const one of [watched('first'), ending, watched('last')]) watch.add(one)
  assert.deepEqual(look(), ['ending', 'first', 'last'])
  assert.deepEqual(look(), ['first', 'last'])
})
