import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { FOREIGN_PUBLISHED, PUBLISHED, tokenContext } from '../stores/jose/issuer.ts'
import { Explained } from '../support/explained.ts'
import { BASICS, gatewayFolder, RecordingUpstream, type RunningGateway, startGateway } from '../support/gateway.ts'
import { badTokens, goodClaims, goodHeader } from './bad-tokens.ts'
import { forged } from './forge.ts'

/** Bad tokens through a listening gateway: each refused, none forwarded. Their reasons are tested at the verifier. */

const ISSUER = 'http://127.0.0.1:1/issuer'
const context = tokenContext(ISSUER, { now: Date.now, monotonic: () => performance.now() })
const provider = (name: string, issuer: string) => `
  - name: ${name}
    issuer: ${issuer}
    plane: { claim: plane, human: [human], machine: [machine] }
    audiences: [${context.audience}]
    algorithms: [RS256, ES256, EdDSA]
    jwks: { file: ./${name}.json }
    requiredClaims: [sub, sid]`

let upstream: RecordingUpstream
let gateway: RunningGateway
let explained: Explained

before(async () => {
  upstream = await RecordingUpstream.start()
  const files = gatewayFolder(
    `${BASICS}
providers:${provider('test', ISSUER)}${provider('foreign', 'http://127.0.0.1:1/foreign')}
upstreams: { things: { targets: ['${upstream.origin}'] } }
`,
    { things: 'plane: HUMAN_ONLY\nupstream: things\nroutes:\n  - { id: things, path: /things, require: any }\n' },
  )
  writeFileSync(join(files.folder, 'test.json'), JSON.stringify({ keys: PUBLISHED }))
  writeFileSync(join(files.folder, 'foreign.json'), JSON.stringify({ keys: FOREIGN_PUBLISHED }))
  gateway = await startGateway(files)
  explained = await Explained.beside(gateway)
})

after(async () => {
  await explained.close()
  await gateway.stop()
  upstream.close()
})

function ask(token: string) {
  return explained.send(`GET /things HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n\r\n`, {
    waitForClose: true,
  })
}

test('a good token passes, so that what follows is refused for its fault', async () => {
  for (const key of Object.values(context.keys)) {
    const answer = await ask(forged(key, goodHeader(key), goodClaims(context)))
    assert.equal(answer.status, 200, answer.text)
  }
  assert.equal(upstream.seen.length, 3)
})

for (const { name, token } of badTokens(context)) {
  test(`refuses ${name}`, async () => {
    const text = token()
    const seenBefore = upstream.seen.length
    const answer = await ask(text)
    // A head that no HTTP parser may accept, or that is too large for one, is refused before anybody looks for a token in it.
    const [status, code] = /[\x00-\x08\x0a-\x1f\x7f]/.test(text)
      ? [400, 'request-malformed']
      : text.length > 15_000
        ? [431, 'headers-too-large']
        : [401, 'credential-invalid']
    assert.equal(answer.status, status, answer.text)
    assert.equal((JSON.parse(answer.body) as { code: string }).code, code)
    if (status === 401) assert.equal(answer.headers['www-authenticate'], 'Bearer error="invalid_token"')
    assert.equal(upstream.seen.length, seenBefore, 'the upstream was reached')
  })
}

test('every refusal was recorded once, with a reason and without the token', async () => {
  const records = await gateway.records()
  const denied = records.filter((record) => record.decision === 'deny')
  assert.equal(denied.length, badTokens(context).length)
  assert.equal(new Set(records.map((record) => record.requestId)).size, records.length)
  for (const record of denied) assert.match(String(record.reason), /^[a-z0-9-]+$/)
  assert.doesNotMatch(JSON.stringify([records, gateway.log]), /eyJ[\w-]{8}/)
})

test('explain agrees with the gateway on every token above, and shows none', async () => {
  const tokens = badTokens(context)
  const long = tokens.map(({ token }) => token()).filter((text) => text.length >= 12)
  assert.equal(await explained.agree(long), tokens.length + Object.keys(context.keys).length)
})
