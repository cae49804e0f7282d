import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import { watchChanges } from '../../src/stores/sql/change-watch.ts'
import { fakeClock } from './api-key-fixtures.ts'

/** A watch whose probe, clock and timer the test moves. */
function watched(test: TestContext) {
  test.mock.timers.enable({ apis: ['setInterval'] })
  const clock = fakeClock(0)
  const source = { version: 1, broken: false, asked: 0 }
  const watch = watchChanges(() => {
    source.asked += 1
    if (source.broken) throw new Error('probe failed')
    return source.version
  }, clock)
  test.after(() => watch.stop())
  const pass = (ms: number, timers: 'timers run' | 'timers late') => {
    clock.advance(ms)
    if (timers === 'timers run') test.mock.timers.tick(ms)
  }
  return { watch, source, pass }
}

describe('change watch', () => {
  it('asks every 100 ms and not once per reader', (test) => {
    const { watch, source, pass } = watched(test)
    for (let reader = 0; reader < 50; reader += 1) watch.generation()
    assert.equal(source.asked, 1)
    for (let step = 0; step < 10; step += 1) pass(100, 'timers run')
    watch.generation()
    assert.equal(source.asked, 11)
  })

  it('keeps its number while nothing changed and gives another after a change', (test) => {
    const { watch, source, pass } = watched(test)
    const before = watch.generation()
    pass(100, 'timers run')
    assert.equal(watch.generation(), before)
    source.version = 2
    pass(100, 'timers run')
    assert.notEqual(watch.generation(), before)
  })

  it('gives another number at once after a change made here', (test) => {
    const { watch } = watched(test)
    const before = watch.generation()
    watch.changed()
    assert.notEqual(watch.generation(), before)
  })

  it('asks by itself when the timer is late', (test) => {
    const { watch, source, pass } = watched(test)
    const before = watch.generation()
    source.version = 2
    pass(200, 'timers late')
    assert.notEqual(watch.generation(), before)
  })

  it('trusts for 250 ms when asking fails, then refuses, then recovers', (test) => {
    const { watch, source, pass } = watched(test)
    const before = watch.generation()
    source.broken = true
    pass(250, 'timers run')
    assert.equal(watch.generation(), before)
    pass(1, 'timers run')
    assert.throws(() => watch.generation(), { code: 'store-unavailable', reason: 'database-failed' })
    source.broken = false
    source.version = 2
    assert.notEqual(watch.generation(), before)
  })

  it('refuses when it never could ask', (test) => {
    const watch = watchChanges(() => {
      throw new Error('probe failed')
    }, fakeClock(0))
    test.after(() => watch.stop())
    assert.throws(() => watch.generation(), { code: 'store-unavailable' })
  })
})
