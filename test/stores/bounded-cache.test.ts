import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { BoundedCache } from '../../src/stores/sql/bounded-cache.ts'

describe('bounded cache', () => {
  it('never holds more than its limit, and keeps what is asked for', () => {
    const cache = new BoundedCache<number>(10)
    cache.set('kept', 1)
    for (let index = 0; index < 1000; index += 1) {
      cache.set(`passing ${index}`, index)
      assert.equal(cache.get('kept'), 1)
      assert.ok(cache.size <= 10)
    }
    assert.equal(cache.get('passing 0'), undefined)
    assert.equal(cache.get('passing 999'), 999)
  })

  it('has one value for a key, the last', () => {
    const cache = new BoundedCache<number>(4)
    for (const value of [1, 2, 3, 4, 5]) {
      cache.set('same', value)
      cache.set(`other ${value}`, 0)
      assert.equal(cache.get('same'), value)
    }
    cache.delete('same')
    assert.equal(cache.get('same'), undefined)
  })
})
