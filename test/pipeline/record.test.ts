import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DecisionRecord } from '../../src/domain/decision-record.ts'
import { recordOf } from '../../src/pipeline/record.ts'
import { inbound, pipelineFor, principal, route } from '../support/requests.ts'

const KEY = 'pgk_live_0123456789abcdef_secret'
const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2EifQ.c2lnbmF0dXJl'

function recorded(who: Parameters<typeof principal>[0], host = 'api.example.com'): DecisionRecord {
  const { pipeline } = pipelineFor([route()])
  const evidence = { inbound: inbound(), target: { path: '/things/1', query: '', host }, principal: principal(who) }
  return recordOf(evidence, null, 200, pipeline)
}

describe('what a record says of a caller', () => {
  const rows: [name: string, part: 'subject' | 'scopes' | 'roles', written: string, expected: string][] = [
    ['a key as subject', 'subject', KEY, '[credential]'],
    ['a token as subject', 'subject', TOKEN, '[credential]'],
    ['an escaped key as subject', 'subject', 'a pgk%5Flive', 'a [credential]'],
    ['a key among the scopes', 'scopes', KEY, '[credential]'],
    ['a token among the roles', 'roles', TOKEN, '[credential]'],
    ['what only looks alike', 'subject', 'user_1.a@example.com', 'user_1.a@example.com'],
  ]
  for (const [name, part, written, expected] of rows) {
    it(`${name}: ${expected}`, () => {
      const of = recorded({ [part]: part === 'subject' ? written : ['other', written] })
      assert.deepEqual(of[part], part === 'subject' ? expected : ['other', expected])
    })
  }

  it('leaves the list of a caller as it is, for its other requests', () => {
    const scopes = Object.freeze([KEY])
    assert.deepEqual(recorded({ scopes }).scopes, ['[credential]'])
    assert.deepEqual(scopes, [KEY])
    const plain = Object.freeze(['a:read'])
    assert.equal(recorded({ scopes: plain }).scopes, plain)
  })

  it('takes credentials out of the host', () => {
    assert.equal(recorded({}, 'pgk_live_x.example.com').host, '[credential].example.com')
  })

  it('does not halve a character where it cuts', () => {
    const { subject } = recorded({ subject: `${'a'.repeat(511)}😀` })
    assert.equal(subject, `${'a'.repeat(511)}\ufffd`)
    assert.equal(recorded({ subject: '😀'.repeat(256) }).subject, '😀'.repeat(256))
  })
})
