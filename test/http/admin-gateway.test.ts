import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { loadGateway } from '../../src/config/load.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { BASICS, gatewayFolder, RecordingUpstream, type RunningGateway, startGateway } from '../support/gateway.ts'

/** What is changed over the admin API, as seen at the public listener and in the audit log of the same gateway. */

const TOKEN = 'an-admin-token-for-this-gateway-0123456789'
let upstream: RecordingUpstream
let gateway: RunningGateway
let sign: (claims: { readonly sub: string; readonly sid?: string }) => string

before(async () => {
  upstream = await RecordingUpstream.start()
  const config = BASICS.replace('admin: { host: 127.0.0.1, port: 0 }', 'admin: { port: 0, token: { file: ./keys/admin.token } }')
  const files = gatewayFolder(`${config}upstreams: { things: { targets: ['${upstream.origin}'] } }\n`, {
    things: 'plane: BOTH\nupstream: things\nroutes: [{ id: things, path: /things/*, require: any }]\n',
  })
  writeFileSync(join(files.folder, 'keys', 'admin.token'), `${TOKEN}\n`, { mode: 0o600 })
  gateway = await startGateway(files)
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  const issuer = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway))
  sign = (claims) => issuer.sign({ plane: 'human', ...claims })
})

after(async () => {
  await gateway.stop()
  upstream.close()
})

// biome-ignore lint/suspicious/noExplicitAny: tests read members of any answer
async function administer(path: string, body?: object): Promise<any> {
  const response = await fetch(`${gateway.admin}/admin/v1${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  const answer = (await response.json()) as object
  assert.ok(response.ok, JSON.stringify(answer))
  return answer
}

async function ask(headers: Readonly<Record<string, string>>): Promise<number> {
  const response = await fetch(`${gateway.url}/things/1`, { headers })
  await response.arrayBuffer()
  return response.status
}

const withKey = (key: string) => ask({ 'x-api-key': key })
const withToken = (token: string) => ask({ authorization: `Bearer ${token}` })

/** Records of changes so far, without what the log itself adds. */
async function changes(): Promise<Record<string, unknown>[]> {
  return (await gateway.records()).filter((record) => typeof record.changeId === 'string')
}

describe('a change over the admin API', () => {
  it('makes a key that works at once, and ends one that stops at once', async () => {
    const { id, key } = await administer('/keys', { owner: 'acme' })
    assert.equal(await withKey(key), 200)
    assert.equal(await withKey(key), 200)
    await administer(`/keys/${id}/revoke`)
    assert.equal(await withKey(key), 401)
  })

  it('rotates a key: the new one works at once, the old one for its overlap', async () => {
    const old = await administer('/keys', { owner: 'acme' })
    assert.equal(await withKey(old.key), 200)
    const successor = await administer(`/keys/${old.id}/rotate`, { overlap: '1h' })
    assert.deepEqual([await withKey(old.key), await withKey(successor.key)], [200, 200])
    const last = await administer(`/keys/${successor.id}/rotate`, { overlap: '0s' })
    assert.deepEqual([await withKey(successor.key), await withKey(last.key)], [401, 200])
  })

  it('ends a session at once, and no other', async () => {
    const [ended, other] = [sign({ sub: 'alice', sid: 's-1' }), sign({ sub: 'alice', sid: 's-2' })]
    assert.deepEqual([await withToken(ended), await withToken(other)], [200, 200])
    await administer('/revocations', { session: 's-1' })
    assert.deepEqual([await withToken(ended), await withToken(other)], [401, 200])
  })

  it('of one issuer touches no other', async () => {
    const token = sign({ sub: 'bob', sid: 's-3' })
    await administer('/revocations', { session: 's-3', issuer: 'https://elsewhere.example' })
    assert.equal(await withToken(token), 200)
  })

  it('ends all tokens of a subject, and no one else’s', async () => {
    const [ended, other] = [sign({ sub: 'carol', sid: 's-4' }), sign({ sub: 'dave', sid: 's-5' })]
    assert.deepEqual([await withToken(ended), await withToken(other)], [200, 200])
    await administer('/revocations', { subject: 'carol' })
    assert.deepEqual([await withToken(ended), await withToken(other)], [401, 200])
  })

  it('ends an API key by its id', async () => {
    const { id, key } = await administer('/keys', { owner: 'acme' })
    assert.equal(await withKey(key), 200)
    await administer('/revocations', { credentialId: id })
    assert.equal(await withKey(key), 401)
  })

  it('is recorded with who and what, and without the secret, when it is answered', async () => {
    const before = (await changes()).length
    const made = await administer('/keys', { owner: 'recorded', scopes: ['a'] })
    const successor = await administer(`/keys/${made.id}/rotate`)
    await administer(`/keys/${successor.id}/revoke`)
    await administer('/revocations', { session: 's-9', issuer: 'https://a.example' })
    const records = (await changes()).slice(before)
    assert.deepEqual(
      records.map(({ action, by }) => [action, by]),
      ['key-created', 'key-rotated', 'key-revoked', 'revocation-added'].map((action) => [action, 'admin-api 127.0.0.1']),
    )
    const [created = '', rotated = '', revoked = '', added = ''] = records.map((record) => JSON.stringify(record.what))
    assert.ok(created.includes(made.id) && created.includes('recorded'), created)
    assert.ok(rotated.includes(made.id) && rotated.includes(successor.id), rotated)
    assert.ok(revoked.includes(successor.id), revoked)
    assert.ok(added.includes('https://a.example'), added)
    const written = JSON.stringify(await gateway.records()) + gateway.log.join('')
    for (const secret of [made.key, successor.key, made.key.slice(-49), TOKEN]) assert.ok(!written.includes(secret))
  })
})
