import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Inbound } from '../../src/domain/inbound.ts'
import { adjudicate } from '../../src/pipeline/adjudicate.ts'
import { outboundHeaders } from '../../src/upstream/outbound-headers.ts'
import { newTraceparent } from '../../src/upstream/trace-context.ts'
import { inbound, pipelineFor, route } from '../support/requests.ts'
import { headerMap } from './fixture.ts'

async function outbound(headers: readonly string[], overrides: Partial<Inbound> = {}): Promise<Map<string, string[]>> {
  const { pipeline } = pipelineFor([route()])
  const asked = inbound({ headers: ['Authorization', 'Bearer human', ...headers], ...overrides })
  const { granted } = await adjudicate(asked, pipeline, () => {})
  assert.ok(granted !== null)
  return headerMap(outboundHeaders(granted, pipeline, '10.0.0.5:3000').headers)
}

const TRACE = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'

const TRACES: readonly [name: string, headers: readonly string[], kept: boolean][] = [
  ['well formed', ['TraceParent', TRACE], true],
  ['absent', [], false],
  ['sent twice', ['traceparent', TRACE, 'traceparent', TRACE], false],
  ['in upper case', ['traceparent', TRACE.toUpperCase()], false],
  ['of an unknown version', ['traceparent', TRACE.replace('00-', '01-')], false],
  ['without a trace', ['traceparent', `00-${'0'.repeat(32)}-b7ad6b7169203331-00`], false],
  ['without a parent', ['traceparent', `00-0af7651916cd43dd8448eb211c80319c-${'0'.repeat(16)}-00`], false],
  ['with more behind it', ['traceparent', `${TRACE}-x`], false],
]

for (const [name, headers, kept] of TRACES) {
  test(`a traceparent that is ${name} is ${kept ? 'kept with its state' : 'made anew, and a state is dropped'}`, async () => {
    const sent = await outbound([...headers, 'tracestate', 'a=1', 'TraceState', 'b=2'])
    assert.equal(sent.get('traceparent')?.length, 1)
    assert.equal(sent.get('traceparent')?.[0] === TRACE, kept)
    assert.match(sent.get('traceparent')?.[0] ?? '', /^00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]$/)
    assert.deepEqual(sent.get('tracestate'), kept ? ['a=1', 'b=2'] : undefined)
  })
}

test('new traces differ', () => {
  assert.equal(new Set(Array.from({ length: 1_000 }, newTraceparent)).size, 1_000)
})

const ORIGINS: readonly [
  name: string,
  origin: Inbound['origin'],
  forwardedFor: string | undefined,
  host: string | undefined,
  forwarded: string,
][] = [
  [
    'one address',
    { addresses: ['192.0.2.7'], proto: 'https', host: 'a.example' },
    '192.0.2.7',
    'a.example',
    'for=192.0.2.7;host=a.example;proto=https',
  ],
  [
    'an IPv6 address',
    { addresses: ['2001:db8::1'], proto: 'http', host: '[::1]:80' },
    '2001:db8::1',
    '[::1]:80',
    'for="[2001:db8::1]";host="[::1]:80";proto=http',
  ],
  [
    'a way through proxies',
    { addresses: ['192.0.2.7', '2001:db8::2'], proto: 'http', host: 'a' },
    '192.0.2.7, 2001:db8::2',
    'a',
    'for=192.0.2.7;host=a;proto=http, for="[2001:db8::2]"',
  ],
  ['no host', { addresses: ['192.0.2.7'], proto: 'http', host: '' }, '192.0.2.7', undefined, 'for=192.0.2.7;proto=http'],
  ['no address', { addresses: [], proto: 'http', host: 'a' }, undefined, 'a', 'for=unknown;host=a;proto=http'],
]

for (const [name, origin, forwardedFor, host, forwarded] of ORIGINS) {
  test(`where a request came from is told in both ways: ${name}`, async () => {
    const sent = await outbound([], { origin })
    assert.deepEqual(sent.get('x-forwarded-for'), forwardedFor === undefined ? undefined : [forwardedFor])
    assert.deepEqual(sent.get('x-forwarded-host'), host === undefined ? undefined : [host])
    assert.deepEqual(sent.get('x-forwarded-proto'), [origin.proto])
    assert.deepEqual(sent.get('forwarded'), [forwarded])
    assert.deepEqual(sent.get('host'), ['10.0.0.5:3000'])
  })
}
