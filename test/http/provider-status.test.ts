import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { providerStatus } from '../../src/http/provider-status.ts'
import { Readiness } from '../../src/http/readiness.ts'

const HUMAN = { name: 'people', human: true }
const MACHINE = { name: 'robots', human: false }

/** The status of these providers; those in `sick` have a check that fails. */
function status(providers: readonly { name: string; human: boolean }[], requested: string | null = null, sick: string[] = []) {
  const readiness = new Readiness()
  readiness.watch(() => sick.map((provider) => ({ name: 'jwks_reachable', provider, ok: false, detail: 'refused' })))
  return providerStatus({ providers, requested, readiness, diagnostics: () => ({}), terse: false }) as Record<string, unknown>
}

describe('the provider that the status document names', () => {
  const table: [name: string, document: Record<string, unknown>, expected: (string | null)[]][] = [
    ['the first for humans', status([MACHINE, HUMAN, { name: 'more', human: true }]), ['people', 'people', 'people']],
    ['nobody where all are for machines', status([MACHINE]), [null, null, null]],
    ['nobody where there is none', status([]), [null, null, null]],
    ['what was asked for, though it is for machines', status([MACHINE], 'robots'), [null, 'robots', 'robots']],
    ['what was asked for and is not declared', status([HUMAN], 'other'), ['people', 'other', null]],
    ['one that is not ready', status([HUMAN], null, ['people']), ['people', 'people', null]],
    ['one beside another that is not ready', status([HUMAN, MACHINE], null, ['robots']), ['people', 'people', 'people']],
  ]
  for (const [name, document, expected] of table) {
    it(name, () => {
      const { canonical_provider, requested_provider, effective_provider } = document
      assert.deepEqual([canonical_provider, requested_provider, effective_provider], expected)
    })
  }
})
