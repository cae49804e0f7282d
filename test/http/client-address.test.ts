import assert from 'node:assert/strict'
import type { IncomingMessage } from 'node:http'
import { test } from 'node:test'
import { addressKey } from '../../src/domain/address.ts'
import { clientAddressReader } from '../../src/http/client-address.ts'

type Headers = Readonly<Record<string, string>>

function read(headers: Headers, peer = '10.0.0.1', trusted: string[] = ['10.0.0.0/8']) {
  return clientAddressReader(trusted)({
    headers: { host: 'a.example', ...headers },
    socket: { remoteAddress: peer },
  } as unknown as IncomingMessage)
}

const cases: [name: string, headers: Headers, address: string, addresses: string[]][] = [
  ['nothing reported', {}, '10.0.0.1', ['10.0.0.1']],
  ['one address', { 'x-forwarded-for': '192.0.2.7' }, '192.0.2.7', ['192.0.2.7', '10.0.0.1']],
  ['a way through two proxies', { 'x-forwarded-for': '192.0.2.7, 10.0.0.2' }, '192.0.2.7', ['192.0.2.7', '10.0.0.2', '10.0.0.1']],
  [
    'what the client wrote itself',
    { 'x-forwarded-for': '1.1.1.1, 192.0.2.7, 10.0.0.2' },
    '192.0.2.7',
    ['192.0.2.7', '10.0.0.2', '10.0.0.1'],
  ],
  ['a port', { 'x-forwarded-for': '192.0.2.7:4711' }, '192.0.2.7', ['192.0.2.7', '10.0.0.1']],
  ['IPv6 in brackets', { 'x-forwarded-for': '[2001:DB8:0::1]:443' }, '2001:db8::1', ['2001:db8::1', '10.0.0.1']],
  ['IPv4 mapped, dotted', { 'x-forwarded-for': '::ffff:1.2.3.4' }, '1.2.3.4', ['1.2.3.4', '10.0.0.1']],
  ['IPv4 mapped, in hex', { 'x-forwarded-for': '::ffff:102:304' }, '1.2.3.4', ['1.2.3.4', '10.0.0.1']],
  ['IPv4 mapped, written out', { 'x-forwarded-for': '0:0:0:0:0:FFFF:1.2.3.4' }, '1.2.3.4', ['1.2.3.4', '10.0.0.1']],
  ['Forwarded', { forwarded: 'for=192.0.2.7;proto=https, for="[2001:db8::9]"' }, '2001:db8::9', ['2001:db8::9', '10.0.0.1']],
  [
    'a quoted string that looks like an address',
    { forwarded: 'for=192.0.2.7;by="a,for=1.1.1.1"' },
    '192.0.2.7',
    ['192.0.2.7', '10.0.0.1'],
  ],
  [
    'two headers that agree',
    { 'x-forwarded-for': '192.0.2.7', forwarded: 'for=192.0.2.7' },
    '192.0.2.7',
    ['192.0.2.7', '10.0.0.1'],
  ],
]
for (const [name, headers, address, addresses] of cases) {
  test(`a trusted proxy reports ${name}`, () => {
    const client = read(headers)
    assert.equal(client.address, address)
    assert.deepEqual(client.origin.addresses, addresses)
  })
}

const malformed: [name: string, headers: Headers, reason: string][] = [
  ['no address', { 'x-forwarded-for': 'unknown' }, 'forwarded-address-invalid'],
  ['garbage before a proxy', { 'x-forwarded-for': '<script>, 10.0.0.2' }, 'forwarded-address-invalid'],
  ['Forwarded that is not well formed', { forwarded: 'for=192.0.2.7;;"' }, 'forwarded-headers-differ'],
  [
    'Forwarded that is not well formed beside an address',
    { 'x-forwarded-for': '192.0.2.7', forwarded: '((' },
    'forwarded-headers-differ',
  ],
  ['two headers that do not agree', { 'x-forwarded-for': '9.9.9.9', forwarded: 'for=192.0.2.7' }, 'forwarded-headers-differ'],
]
for (const [name, headers, reason] of malformed) {
  test(`${name} is malformed: the proxy's own address would pass for an inside client`, () => {
    assert.deepEqual(read(headers).malformed, { code: 'request-malformed', reason })
  })
}

test('two headers that agree in other spellings are fine', () => {
  for (const [usual, standard] of [
    ['2001:db8::1', 'for="[2001:DB8:0::1]"'],
    ['192.0.2.1', 'for="192.0.2.1:4711"'],
  ]) {
    assert.equal(read({ 'x-forwarded-for': usual as string, forwarded: standard as string }).malformed, null)
  }
})

test('nobody else is believed', () => {
  const told = {
    'x-forwarded-for': '1.1.1.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'evil.example',
    forwarded: 'for=1.1.1.1',
  }
  for (const client of [read(told, '192.0.2.9'), read(told, '10.0.0.1', [])]) {
    assert.deepEqual(client.origin, { addresses: [client.address], proto: 'http', host: 'a.example' })
  }
})

test('protocol and host come from the trusted proxy', () => {
  assert.deepEqual(read({ 'x-forwarded-proto': 'https', 'x-forwarded-host': 'API.example:8443' }).origin, {
    addresses: ['10.0.0.1'],
    proto: 'https',
    host: 'api.example:8443',
  })
  assert.deepEqual(read({ forwarded: 'proto=HTTPS;host="b.example"' }).origin, {
    addresses: ['10.0.0.1'],
    proto: 'https',
    host: 'b.example',
  })
})

test('an IPv4-mapped peer is an IPv4 client, and two of them do not share an allowance', () => {
  assert.equal(read({}, '::ffff:192.0.2.1', []).address, '192.0.2.1')
  assert.notEqual(
    addressKey(read({ 'x-forwarded-for': '::ffff:102:304' }).address),
    addressKey(read({ 'x-forwarded-for': '::ffff:506:708' }).address),
  )
})
