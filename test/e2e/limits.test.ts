import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { BASICS, gatewayFolder, RecordingUpstream, type RunningGateway, sendRaw, startGateway } from '../support/gateway.ts'

let upstream: RecordingUpstream
let gateway: RunningGateway

before(async () => {
  upstream = await RecordingUpstream.start()
  gateway = await startGateway(
    gatewayFolder(
      `${BASICS.replace('port: 0 }', 'port: 0, trustedProxies: [127.0.0.1] }')}
limits:
  - { name: per-address, key: ip, rate: 60/min, burst: 20 }
  - { name: guesses, key: ip, on: failures, rate: 6/min, burst: 3 }
upstreams: { things: { targets: ['${upstream.origin}'] } }
`,
      {
        things:
          'plane: HUMAN_ONLY\nupstream: things\nroutes:\n  - { id: things, path: /things, require: any }\n  - { id: open, path: /open, plane: PUBLIC, reason: test }\n',
      },
    ),
  )
})

after(async () => {
  await gateway.stop()
  upstream.close()
})

const ask = (address: string, path: string, ...headers: string[]) =>
  sendRaw(
    gateway.port,
    [`GET ${path} HTTP/1.1`, 'Host: a', `X-Forwarded-For: ${address}`, ...headers, 'Connection: close', '', ''].join('\r\n'),
    { waitForClose: true },
  )

test('an address that guesses is let in three times, then waits; others and PUBLIC routes are not concerned', async () => {
  const guess = (address: string) => ask(address, '/things', 'Authorization: Bearer forged')
  for (let round = 0; round < 3; round += 1) assert.equal((await guess('192.0.2.1')).status, 401)
  const limited = await guess('192.0.2.1')
  assert.equal(limited.status, 429)
  assert.match(limited.headers['ratelimit-policy'] ?? '', /^"guesses";q=6;w=60$/)
  assert.ok(Number(limited.headers['retry-after']) >= 1)
  assert.equal((await guess('192.0.2.2')).status, 401)
  assert.equal((await ask('192.0.2.1', '/open')).status, 200)
  assert.equal((await ask('192.0.2.1', '/things')).status, 401)
})

test('one address cannot split its allowance by spellings of itself, and its refusals are few records with their number', async () => {
  const spellings = [
    '2001:db8::1',
    '2001:DB8:0:0::1',
    '[2001:db8::2]',
    '2001:db8::ffff:1',
    '2001:0db8:0000:0000:a:b:c:d',
    '2001:db8::3%eth0',
  ]
  let admitted = 0
  for (let round = 0; round < 60; round += 1)
    if ((await ask(spellings[round % spellings.length] as string, '/open')).status === 200) admitted += 1
  assert.ok(admitted >= 20 && admitted <= 25, `${admitted} were admitted`)
  await gateway.records()
  const limited = (await gateway.records()).filter((record) => record.reason === 'address-limit')
  assert.deepEqual(
    limited.map((record) => record.count),
    [1],
  )
})
