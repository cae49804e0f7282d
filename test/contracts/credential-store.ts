import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import type { ApiKeyRecord, CredentialRegistry, CredentialStore } from '../../src/ports/credential-store.ts'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'

/** One open handle on the data, as one process has it. */
export interface StoreHandle extends CredentialStore, CredentialRegistry {
  close(): Promise<void>
}

/** Fresh, empty data that several handles may be opened on. */
export interface StoreUnderTest {
  open(): Promise<StoreHandle>
  dispose(): Promise<void>
}

/** A record of a freshly minted key, with what a test wants to be different. */
export function apiKeyRecord(change: Partial<ApiKeyRecord> = {}): ApiKeyRecord {
  const { id, digest } = mintApiKey('dev')
  const plain = { owner: 'billing', scopes: ['jobs:run', 'jobs:read'], cidrs: ['10.0.0.0/8', '2001:db8::/32'] }
  return { id, digest, ...plain, createdAt: 1_700_000_000_123, expiresAt: null, revokedAt: null, replacedBy: null, ...change }
}

/** Milliseconds. The promise is 250; a machine that is busy with other tests is given four times as long, so that only a broken promise fails. */
export const SOON = 1_000

/** Waits until a condition holds; fails when it does not within `ms`. */
export async function within(ms: number, what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + ms
  while (!(await holds())) {
    assert.ok(performance.now() < deadline, `not within ${ms} ms: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** What every engine behind `CredentialStore` and `CredentialRegistry` must do. */
export function credentialStoreContract(engine: string, prepare: () => Promise<StoreUnderTest>): void {
  describe(`credential store contract: ${engine}`, () => {
    let data: StoreUnderTest
    let handles: StoreHandle[]

    async function open(): Promise<StoreHandle> {
      const handle = await data.open()
      handles.push(handle)
      return handle
    }

    beforeEach(async () => {
      data = await prepare()
      handles = []
    })
    afterEach(async () => {
      for (const handle of handles) await handle.close()
      await data.dispose()
    })

    describe('finding', () => {
      it('finds nothing in an empty store', async () => {
        const store = await open()
        assert.equal(await store.findApiKey('0123456789abcdef'), null)
        assert.deepEqual(await store.listApiKeys(), [])
      })

      const shapes: readonly (readonly [string, Partial<ApiKeyRecord>])[] = [
        ['lists and no end', {}],
        ['no scopes and no networks', { scopes: [], cidrs: [] }],
        ['an end', { expiresAt: 1_800_000_000_000 }],
        ['a revocation', { revokedAt: 1_700_000_000_999 }],
        ['the largest times', { createdAt: 8_640_000_000_000_000, expiresAt: 8_640_000_000_000_000 }],
        ['an owner that looks like SQL and JSON', { owner: `'; drop table api_keys; -- "\\ ünïcødé ✓` }],
      ]
      for (const [name, change] of shapes) {
        it(`gives back exactly what was stored: ${name}`, async () => {
          const store = await open()
          const record = apiKeyRecord(change)
          await store.createApiKey(record, 'test')
          assert.deepEqual(await store.findApiKey(record.id), record)
          assert.deepEqual(await store.listApiKeys(), [record])
        })
      }

      it('tells ids apart by case', async () => {
        const store = await open()
        await store.createApiKey(apiKeyRecord({ id: 'abcdefghABCDEFGH' }), 'test')
        assert.equal(await store.findApiKey('ABCDEFGHabcdefgh'), null)
      })

      it('finds a key that it was asked for before it existed', async () => {
        const store = await open()
        const record = apiKeyRecord()
        assert.equal(await store.findApiKey(record.id), null)
        await store.createApiKey(record, 'test')
        assert.deepEqual(await store.findApiKey(record.id), record)
      })

      it('gives the same object while the record is unchanged, also when others change', async () => {
        const store = await open()
        const record = apiKeyRecord()
        await store.createApiKey(record, 'test')
        const first = await store.findApiKey(record.id)
        await store.createApiKey(apiKeyRecord(), 'test')
        assert.equal(await store.findApiKey(record.id), first)
        await store.revokeApiKey(record.id, 1, 'test')
        assert.notEqual(await store.findApiKey(record.id), first)
      })
    })

    describe('creating', () => {
      it('refuses a second key with the same id and keeps the first', async () => {
        const store = await open()
        const record = apiKeyRecord()
        await store.createApiKey(record, 'test')
        await assert.rejects(store.createApiKey(apiKeyRecord({ id: record.id, owner: 'thief' }), 'test'), {
          code: 'store-unavailable',
        })
        assert.deepEqual(await store.findApiKey(record.id), record)
      })

      it('lists by age', async () => {
        const store = await open()
        for (const createdAt of [30, 10, 20]) await store.createApiKey(apiKeyRecord({ createdAt }), 'test')
        assert.deepEqual(
          (await store.listApiKeys()).map((record) => record.createdAt),
          [10, 20, 30],
        )
      })
    })

    describe('rotating', () => {
      it('adds the replacement and ends the old key', async () => {
        const store = await open()
        const old = apiKeyRecord()
        const replacement = apiKeyRecord()
        await store.createApiKey(old, 'test')
        assert.equal(await store.rotateApiKey(old.id, replacement, 5_000, 'test'), true)
        assert.deepEqual(await store.findApiKey(old.id), { ...old, expiresAt: 5_000, replacedBy: replacement.id })
        assert.deepEqual(await store.findApiKey(replacement.id), replacement)
      })

      it('never lengthens the life of the old key', async () => {
        const store = await open()
        const old = apiKeyRecord({ expiresAt: 1_000 })
        await store.createApiKey(old, 'test')
        assert.equal(await store.rotateApiKey(old.id, apiKeyRecord(), 5_000, 'test'), true)
        assert.equal((await store.findApiKey(old.id))?.expiresAt, 1_000)
      })

      const refused: readonly (readonly [string, (store: StoreHandle, id: string) => Promise<unknown>])[] = [
        ['an unknown key', async () => {}],
        [
          'a revoked key',
          async (store, id) => [await store.createApiKey(apiKeyRecord({ id }), 'test'), await store.revokeApiKey(id, 1, 'test')],
        ],
        [
          'a rotated key',
          async (store, id) => [
            await store.createApiKey(apiKeyRecord({ id }), 'test'),
            await store.rotateApiKey(id, apiKeyRecord(), 9, 'test'),
          ],
        ],
      ]
      for (const [name, arrange] of refused) {
        it(`refuses ${name} and adds nothing`, async () => {
          const store = await open()
          const replacement = apiKeyRecord()
          await arrange(store, '0123456789abcdef')
          const before = await store.listApiKeys()
          assert.equal(await store.rotateApiKey('0123456789abcdef', replacement, 5_000, 'test'), false)
          assert.equal(await store.findApiKey(replacement.id), null)
          assert.deepEqual(await store.listApiKeys(), before)
        })
      }

      it('changes nothing when the replacement cannot be stored', async () => {
        const store = await open()
        const old = apiKeyRecord()
        const other = apiKeyRecord()
        await store.createApiKey(old, 'test')
        await store.createApiKey(other, 'test')
        await assert.rejects(store.rotateApiKey(old.id, other, 5_000, 'test'), { code: 'store-unavailable' })
        assert.deepEqual(await store.findApiKey(old.id), old)
      })

      it('lets exactly one of many simultaneous rotations win', async () => {
        const stores = [await open(), await open(), await open()]
        const old = apiKeyRecord()
        await stores[0]?.createApiKey(old, 'test')
        const attempts = [...stores, ...stores].map((store) => ({ store, replacement: apiKeyRecord() }))
        const won = await Promise.all(
          attempts.map(({ store, replacement }) => store.rotateApiKey(old.id, replacement, 5_000, 'test')),
        )
        assert.equal(won.filter(Boolean).length, 1)
        const winner = attempts[won.indexOf(true)]?.replacement
        const records = (await stores[0]?.listApiKeys()) ?? []
        assert.deepEqual(new Set(records.map((record) => record.id)), new Set([old.id, winner?.id]))
        assert.equal(records.find((record) => record.id === old.id)?.replacedBy, winner?.id)
      })
    })

    describe('revoking', () => {
      it('marks the key at once and keeps the first time', async () => {
        const store = await open()
        const record = apiKeyRecord()
        await store.createApiKey(record, 'test')
        await store.findApiKey(record.id)
        assert.equal(await store.revokeApiKey(record.id, 100, 'test'), true)
        assert.equal((await store.findApiKey(record.id))?.revokedAt, 100)
        assert.equal(await store.revokeApiKey(record.id, 200, 'test'), true)
        assert.equal((await store.findApiKey(record.id))?.revokedAt, 100)
      })

      it('says when there is no such key', async () => {
        const store = await open()
        assert.equal(await store.revokeApiKey('0123456789abcdef', 100, 'test'), false)
      })
    })

    describe('two handles on the same data', () => {
      it('see what the other creates, rotates and revokes within 250 ms', async () => {
        const [here, there] = [await open(), await open()]
        const old = apiKeyRecord()
        const replacement = apiKeyRecord()
        const seen = async (id: string) => await here.findApiKey(id)
        assert.equal(await seen(old.id), null)
        await there.createApiKey(old, 'test')
        await within(SOON, 'creation', async () => (await seen(old.id)) !== null)
        assert.equal(await seen(replacement.id), null)
        await there.rotateApiKey(old.id, replacement, 5_000, 'test')
        await within(
          SOON,
          'rotation',
          async () => (await seen(old.id))?.expiresAt === 5_000 && (await seen(replacement.id)) !== null,
        )
        await there.revokeApiKey(replacement.id, 7_000, 'test')
        await within(SOON, 'revocation', async () => (await seen(replacement.id))?.revokedAt === 7_000)
      })

      it('keep what was stored after both are closed', async () => {
        const record = apiKeyRecord()
        const first = await open()
        await first.createApiKey(record, 'test')
        await first.close()
        assert.deepEqual(await (await open()).findApiKey(record.id), record)
      })
    })

    describe('a closed handle', () => {
      it('refuses to answer, also what it knew', async () => {
        const store = await open()
        const record = apiKeyRecord()
        await store.createApiKey(record, 'test')
        await store.findApiKey(record.id)
        await store.close()
        await assert.rejects(async () => store.findApiKey(record.id), { code: 'store-unavailable' })
        await assert.rejects(async () => store.findApiKey('0123456789abcdef'), { code: 'store-unavailable' })
        await assert.rejects(store.listApiKeys(), { code: 'store-unavailable' })
        await assert.rejects(store.revokeApiKey(record.id, 1, 'test'), { code: 'store-unavailable' })
      })
    })
  })
}
