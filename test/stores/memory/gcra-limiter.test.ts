import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import type { Limit } from '../../../src/domain/limit.ts'
import { GcraLimiter } from '../../../src/stores/memory/gcra-limiter.ts'

class FakeClock {
  ms = 123_456
  now = () => 0
  monotonic = () => this.ms
}

const limit = (change: Partial<Limit> = {}): Limit => ({
  name: 'per-address',
  key: 'ip',
  on: 'requests',
  source: 'gateway.yaml:1',
  count: 600,
  periodMs: 60_000,
  burst: 5,
  ...change,
})

/** The same rule as a bucket in exact fractions: one unit is `1 / count` of a microsecond. */
class Model {
  readonly #debts = new Map<string, { debt: bigint; at: bigint }>()

  take({ count, periodMs, burst }: Limit, key: string, micros: number) {
    const [at, cost] = [BigInt(micros), BigInt(periodMs) * 1000n]
    const known = this.#debts.get(key) ?? { debt: 0n, at }
    const drained = known.debt - (at - known.at) * BigInt(count)
    const debt = drained < 0n ? 0n : drained
    const depth = cost * BigInt(burst)
    const admitted = debt + cost <= depth
    const after = admitted ? debt + cost : debt
    this.#debts.set(key, { debt: after, at })
    const perMs = 1000n * BigInt(count)
    const missing = after + cost - depth
    return {
      admitted,
      remaining: Number((depth - after) / cost),
      retryAfterMs: missing <= 0n ? 0 : Number((missing + perMs - 1n) / perMs),
      resetMs: Number((after + perMs - 1n) / perMs),
    }
  }
}

describe('gcra limiter', () => {
  it('admits a burst of N at once, then one for each interval', () => {
    const clock = new FakeClock()
    const limiter = new GcraLimiter(clock)
    const take = () => limiter.take(limit(), '192.0.2.1')
    assert.deepEqual(
      [5, 4, 3, 2, 1].map(() => take().remaining),
      [4, 3, 2, 1, 0],
    )
    assert.deepEqual(take(), { limit: limit(), admitted: false, remaining: 0, retryAfterMs: 100, resetMs: 500 })
    clock.ms += 99
    assert.equal(take().admitted, false)
    clock.ms += 1
    assert.equal(take().admitted, true)
    assert.equal(take().admitted, false)
    clock.ms += 500
    assert.equal(take().remaining, 4)
  })

  it('does what the model does, for any limit and any times', () => {
    const limits = fc.record({
      count: fc.integer({ min: 1, max: 2000 }),
      periodMs: fc.constantFrom(1, 7, 1000, 60_000, 3_600_000),
      burst: fc.integer({ min: 1, max: 40 }),
    })
    const steps = fc.array(
      fc.record({
        key: fc.constantFrom('a', 'b', 'c'),
        // Waits that matter: none, fractions of a millisecond, one interval, less or more than one by a little, long.
        wait: fc.oneof(
          fc.constant(0),
          fc.integer({ min: 1, max: 2000 }).map((micros) => micros / 1000),
          fc.double({ min: 0, max: 3, noNaN: true }),
        ),
        inIntervals: fc.boolean(),
      }),
      { maxLength: 120 },
    )
    fc.assert(
      fc.property(limits, steps, (numbers, takes) => {
        const clock = new FakeClock()
        const origin = clock.ms
        const limiter = new GcraLimiter(clock)
        const model = new Model()
        const tested = limit(numbers)
        for (const { key, wait, inIntervals } of takes) {
          clock.ms += inIntervals ? Math.round(wait * (tested.periodMs / tested.count) * 1000) / 1000 : wait
          const { limit: _, ...found } = limiter.take(tested, key)
          assert.deepEqual(found, model.take(tested, key, Math.floor((clock.ms - origin) * 1000)))
        }
      }),
      { numRuns: 500 },
    )
  })

  it('admits again after exactly the time it says', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5000 }),
        fc.integer({ min: 1, max: 5 }),
        fc.double({ min: 0, max: 1e6, noNaN: true }),
        (count, burst, start) => {
          const clock = new FakeClock()
          const limiter = new GcraLimiter(clock)
          clock.ms += start
          const tested = limit({ count, burst })
          let allowance = limiter.take(tested, 'k')
          while (allowance.admitted) allowance = limiter.take(tested, 'k')
          clock.ms += allowance.retryAfterMs
          assert.equal(limiter.take(tested, 'k').admitted, true)
        },
      ),
    )
  })

  it('never lets two limits share, or one key be two', () => {
    const limiter = new GcraLimiter(new FakeClock())
    const one = limit({ burst: 1 })
    assert.equal(limiter.take(one, 'k').admitted, true)
    assert.equal(limiter.take({ ...one, name: 'login' }, 'k').admitted, true)
    assert.equal(limiter.take({ ...one }, 'k').admitted, false, 'a copy of the declaration is the same limit')
    assert.equal(limiter.take(one, 'K').admitted, true)
    assert.equal(limiter.take(one, '').admitted, true)
    assert.equal(limiter.take(one, '').admitted, false)
    for (const key of ['__proto__', 'constructor']) assert.equal(limiter.take(one, key).admitted, true)
  })

  it('starts a limit afresh when its numbers change', () => {
    const limiter = new GcraLimiter(new FakeClock())
    assert.equal(limiter.take(limit({ burst: 1 }), 'k').admitted, true)
    assert.equal(limiter.take(limit({ burst: 2 }), 'k').remaining, 1)
  })

  it('forgets what holds no information, without a timer', () => {
    const clock = new FakeClock()
    const limiter = new GcraLimiter(clock)
    for (let i = 0; i < 10_000; i++) limiter.take(limit(), `idle-${i}`)
    assert.equal(limiter.size, 10_000)
    clock.ms += 100
    for (let i = 0; i < 3000; i++) limiter.take(limit({ name: 'other' }), 'k')
    assert.equal(limiter.size, 1)
  })

  it('a million addresses leave few entries, and the one that is limited stays limited', () => {
    const clock = new FakeClock()
    const limiter = new GcraLimiter(clock)
    const tested = limit({ count: 60, burst: 3 })
    let most = 0
    for (let i = 0; i < 3; i++) limiter.take(tested, 'attacker')
    for (let i = 0; i < 1_000_000; i++) {
      clock.ms += 0.01
      assert.equal(limiter.take(tested, `2001:db8::${i}`).admitted, true)
      if (i % 50_000 === 0) {
        while (limiter.take(tested, 'attacker').admitted);
        most = Math.max(most, limiter.size)
      }
      if (i % 50_000 === 1) assert.equal(limiter.take(tested, 'attacker').admitted, false)
    }
    // An entry lives 1 s, in which 100,000 addresses come; a third more have not been looked at yet.
    assert.ok(most < 140_000, `${most} entries`)
  })

  it('when every entry is alive, new keys share one allowance, and nobody limited is let go', () => {
    const clock = new FakeClock()
    const limiter = new GcraLimiter(clock, 1000)
    const tested = limit({ count: 60, burst: 2 })
    for (let i = 0; i < 2; i++) assert.equal(limiter.take(tested, 'attacker').admitted, true)
    const admitted = Array.from({ length: 1_000_000 }, (_, i) => limiter.take(tested, `flood-${i}`)).filter(
      (taken) => taken.admitted,
    )
    assert.equal(admitted.length, 999 + 2, 'each key with an entry, then one burst for all the others')
    assert.equal(limiter.size, 1000)
    assert.equal(limiter.take(tested, 'attacker').admitted, false)
    assert.equal(limiter.take(tested, 'newcomer').admitted, false)
    assert.equal(limiter.take(limit({ name: 'login' }), 'newcomer').admitted, true, 'another limit has its own overflow')
    clock.ms += 1000
    assert.equal(limiter.take(tested, 'attacker').admitted, true)
    assert.equal(limiter.take(tested, 'attacker').admitted, false)
    assert.equal(limiter.take(tested, 'newcomer').admitted, true, 'there is room again')
  })
})

it('a look answers what a take would, and takes nothing', () => {
  const clock = new FakeClock()
  const limiter = new GcraLimiter(clock)
  const tested = limit({ count: 60, burst: 2 })
  for (let round = 0; round < 5; round += 1)
    assert.deepEqual([limiter.look(tested, 'k').admitted, limiter.look(tested, 'k').remaining], [true, 2])
  assert.equal(limiter.size, 0)
  limiter.take(tested, 'k')
  assert.equal(limiter.look(tested, 'k').remaining, 1)
  limiter.take(tested, 'k')
  const out = limiter.look(tested, 'k')
  assert.deepEqual([out.admitted, out.remaining], [false, 0])
  assert.equal(out.retryAfterMs, limiter.take(tested, 'k').retryAfterMs)
  assert.equal(limiter.look(tested, 'other').remaining, 2)
})

it('charges count beyond the limit, and are paid for', () => {
  const clock = new FakeClock()
  const limiter = new GcraLimiter(clock)
  const tested = limit({ count: 60, periodMs: 60_000, burst: 2 })
  for (let round = 0; round < 12; round += 1) limiter.charge(tested, 'k')
  assert.deepEqual([limiter.look(tested, 'k').admitted, limiter.look(tested, 'k').remaining], [false, 0])
  clock.ms += 10_999
  assert.equal(limiter.look(tested, 'k').admitted, false)
  clock.ms += 1
  assert.equal(limiter.look(tested, 'k').admitted, true)
  for (let round = 0; round < 100_000; round += 1) limiter.charge(tested, 'k')
  clock.ms += 3_601_000
  assert.equal(limiter.look(tested, 'k').admitted, true)
})
