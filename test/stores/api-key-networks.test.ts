import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { compileNetworks, isNetwork } from '../../src/stores/api-keys/networks.ts'

describe('networks of an API key', () => {
  const table: readonly (readonly [string, string, boolean | 'unreadable'])[] = [
    ['10.0.0.0/8', '10.255.255.255', true],
    ['10.0.0.0/8', '11.0.0.0', false],
    ['10.0.0.7/32', '10.0.0.7', true],
    ['10.0.0.7/32', '10.0.0.8', false],
    ['10.0.0.7', '10.0.0.7', true],
    ['10.0.0.7', '10.0.0.6', false],
    ['10.9.9.9/8', '10.1.1.1', true],
    ['0.0.0.0/0', '203.0.113.9', true],
    ['0.0.0.0/0', '2001:db8::1', false],
    ['2001:db8::/32', '2001:db8:ffff::1', true],
    ['2001:db8::/32', '2001:db9::1', false],
    ['2001:db8::/33', '2001:db8:8000::1', false],
    ['::1', '::1', true],
    ['::/0', '2001:db8::1', true],
    // A BlockList alone would let all of IPv4 in here.
    ['::/0', '10.0.0.1', false],
    ['::/0', '::ffff:10.0.0.1', false],
    ['10.0.0.0/8', '::ffff:10.1.2.3', true],
    ['10.0.0.0/8', '::FFFF:0a01:0203', true],
    ['10.0.0.0/8', '0:0:0:0:0:ffff:a01:203', true],
    ['10.0.0.0/8', '::10.1.2.3', false],
    ['::ffff:10.0.0.0/104', '10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '::ffff:10.1.2.3', true],
    ['::ffff:10.0.0.0/104', '11.1.2.3', false],
    ['10.0.0.0/8', '', 'unreadable'],
    ['10.0.0.0/8', 'localhost', 'unreadable'],
    ['10.0.0.0/8', '010.1.2.3', 'unreadable'],
    ['10.0.0.0/8', '10.1.2.3:80', 'unreadable'],
    ['10.0.0.0/8', '10.1.2', 'unreadable'],
    ['::/0', '[::1]', 'unreadable'],
  ]
  for (const [cidr, address, expected] of table) {
    it(`${cidr} and "${address}": ${expected}`, () => assert.equal(compileNetworks([cidr]).contain(address), expected))
  }

  it('is any of several', () => {
    const networks = compileNetworks(['10.0.0.0/8', '2001:db8::/32'])
    assert.deepEqual(['10.0.0.1', '2001:db8::1', '192.0.2.1'].map(networks.contain), [true, true, false])
  })

  for (const text of [
    '',
    '/8',
    '10.0.0.0/',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/08',
    '10.0.0.0/-1',
    '10.0.0/8',
    'fe80::1%eth0/64',
    ' 10.0.0.0/8',
    '*',
  ]) {
    it(`refuses "${text}" as a network`, () => {
      assert.equal(isNetwork(text), false)
      assert.throws(() => compileNetworks([text]), RangeError)
    })
  }
})
