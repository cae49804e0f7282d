import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { loadGateway } from '../../src/config/load.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { BASICS, gatewayFolder, RecordingUpstream, type RunningGateway, startGateway } from '../support/gateway.ts'

/** One id for one decision: whoever holds an answer finds its record, its log line and what the upstream was told. */

let upstream: RecordingUpstream
let gateway: RunningGateway
let token = ''

before(async () => {
  upstream = await RecordingUpstream.start()
  const files = gatewayFolder(`${BASICS}\nupstreams: { things: { targets: ['${upstream.origin}'] } }\n`, {
    things: 'plane: HUMAN_ONLY\nupstream: things\nroutes:\n  - { id: things, path: /things, require: { scopes: [read] } }\n',
  })
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  token = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway)).sign({ sub: 'alice', plane: 'human', scope: 'read' })
  gateway = await startGateway(files)
})

after(async () => {
  await gateway.stop()
  upstream.close()
})

describe('the id of a decision', () => {
  const given: [name: string, sent: Record<string, string>, kept: boolean][] = [
    ['made by the gateway', {}, false],
    ['brought along', { 'x-request-id': 'order-7:attempt-2' }, true],
    ['that would break a log line', { 'x-request-id': 'a b' }, false],
    ['that looks like a credential', { 'x-request-id': 'eyJhbGciOiJub25lIn0' }, false],
  ]
  for (const [name, sent, kept] of given) {
    it(`${name} is in the refusal's header and body, the log and the audit record`, async () => {
      const answer = await fetch(`${gateway.url}/things`, { headers: sent })
      const id = answer.headers.get('x-request-id') ?? ''
      assert.equal(answer.status, 401)
      assert.equal(((await answer.json()) as { requestId: string }).requestId, id)
      if (kept) assert.equal(id, sent['x-request-id'])
      else assert.match(id, /^[0-9a-f-]{36}$/)
      const [record] = (await gateway.records(id)).filter(({ requestId }) => requestId === id)
      assert.equal(record?.code, 'credential-missing')
      assert.ok(gateway.log.some((line) => line.includes(`"requestId":"${id}"`) && line.includes(`"reason":"${record.reason}"`)))
    })

    it(`${name} is in the answer, the audit record and what the upstream is told`, async () => {
      const own = kept ? { 'x-request-id': 'order-7:attempt-3' } : sent
      const answer = await fetch(`${gateway.url}/things`, { headers: { ...own, authorization: `Bearer ${token}` } })
      const id = answer.headers.get('x-request-id') ?? ''
      assert.equal(answer.status, 200)
      await answer.body?.cancel()
      assert.equal(upstream.seen.pop()?.headers['x-request-id'], id)
      const records = (await gateway.records(id)).filter(({ requestId }) => requestId === id)
      assert.deepEqual(
        records.map(({ decision }) => decision),
        ['allow'],
      )
    })
  }
})
