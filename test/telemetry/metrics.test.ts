import assert from 'node:assert/strict'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts'
import { decision } from '../audit/records.ts'

let metrics: Metrics
beforeEach(() => {
  metrics = createMetrics({
    version: '1.2.3',
    routes: [
      { id: 'accounts-read', plane: 'HUMAN_ONLY' },
      { id: 'jobs', plane: 'MACHINE_ONLY' },
    ],
    limits: ['per-address', 'login'],
    providers: ['clerk', 'machines'],
    upstreams: ['accounts', 'jobs'],
  })
})
afterEach(() => metrics.close())

/** Samples of the text by name and labels, as written there. */
async function samples(): Promise<Map<string, number>> {
  const { body } = await metrics.render()
  const lines = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]))
}

describe('metrics', () => {
  it('shows every declared series at 0 before anything happens', async () => {
    const found = await samples()
    const zero = [
      'planegate_rate_limited_total{limit="per-address"}',
      'planegate_rate_limited_total{limit="login"}',
      ...['I1', 'I2', 'I3', 'I4', 'I5'].map((name) => `planegate_invariant_violations_total{invariant="${name}"}`),
      'planegate_token_cache_total{result="hit"}',
      'planegate_token_cache_total{result="miss"}',
      'planegate_jwks_fetch_total{provider="clerk",result="success"}',
      'planegate_jwks_fetch_total{provider="machines",result="failure"}',
      'planegate_provider_ready{provider="clerk"}',
      'planegate_audit_records_total',
      'planegate_audit_dropped_total',
      'planegate_revocation_lag_seconds',
      'planegate_auth_duration_seconds_count',
      'planegate_upstream_duration_seconds_count{upstream="accounts"}',
    ]
    for (const name of zero) assert.equal(found.get(name), 0, name)
    assert.equal(found.get('planegate_build_info{version="1.2.3"}'), 1)
    assert.equal(found.get('planegate_config_last_reload_success'), 1)
    for (const name of ['process_cpu_seconds_total', 'nodejs_heap_size_used_bytes']) assert.ok(found.has(name), name)
  })

  it('is Prometheus text with a help for each metric', async () => {
    const { contentType, body } = await metrics.render()
    assert.match(contentType, /^text\/plain; version=0\.0\.4/)
    for (const name of ['decisions_total', 'http_requests_total', 'auth_duration_seconds', 'upstream_duration_seconds']) {
      assert.match(body, new RegExp(`# HELP planegate_${name} \\S`))
    }
  })

  const denied = { decision: 'deny', upstream: null } as const
  const decisions: [string, Parameters<typeof decision>[0], string, string][] = [
    [
      'an allowed request',
      {},
      'route="accounts-read",plane="HUMAN_ONLY",outcome="allow",code="none"',
      'route="accounts-read",method="GET",status="200"',
    ],
    [
      'a refusal on a route',
      { ...denied, route: 'jobs', plane: 'MACHINE_ONLY', code: 'worker-refuses-jwt', method: 'POST', status: 403 },
      'route="jobs",plane="MACHINE_ONLY",outcome="deny",code="worker-refuses-jwt"',
      'route="jobs",method="POST",status="403"',
    ],
    [
      'no route',
      { ...denied, route: null, plane: null, code: 'route-unknown', status: 404 },
      'route="none",plane="none",outcome="deny",code="route-unknown"',
      'route="none",method="GET",status="404"',
    ],
    [
      'a route that is not declared',
      { ...denied, route: '"}evil', code: 'policy-denied', status: 403 },
      'route="none",plane="none",outcome="deny",code="policy-denied"',
      'route="none",method="GET",status="403"',
    ],
    [
      'a made-up method',
      { ...denied, route: null, plane: null, code: 'request-malformed', method: 'X-4711', status: 400 },
      'route="none",plane="none",outcome="deny",code="request-malformed"',
      'route="none",method="OTHER",status="400"',
    ],
    [
      'a code outside the table',
      { ...denied, code: 'constructor', status: 500 },
      'route="accounts-read",plane="HUMAN_ONLY",outcome="deny",code="internal"',
      'route="accounts-read",method="GET",status="500"',
    ],
    [
      'allowed, but the upstream failed',
      { code: 'upstream-timeout', status: 504 },
      'route="accounts-read",plane="HUMAN_ONLY",outcome="allow",code="upstream-timeout"',
      'route="accounts-read",method="GET",status="504"',
    ],
    [
      'the client hung up',
      { status: 499 },
      'route="accounts-read",plane="HUMAN_ONLY",outcome="allow",code="none"',
      'route="accounts-read",method="GET",status="499"',
    ],
  ]
  for (const [name, change, decided, answered] of decisions) {
    it(`counts ${name}, also over several scrapes`, async () => {
      metrics.decided(decision(change), 0.05, null)
      await samples()
      metrics.decided(decision(change), 0.05, null)
      const found = await samples()
      assert.equal(found.get(`planegate_decisions_total{${decided}}`), 2)
      assert.equal(found.get(`planegate_http_requests_total{${answered}}`), 2)
      assert.equal([...found.keys()].filter((key) => key.startsWith('planegate_decisions_total')).length, 1)
    })
  }

  it('takes milliseconds and shows seconds', async () => {
    metrics.decided(decision(), 0.07, 20)
    metrics.decided(decision({ upstream: 'jobs' }), 3, null)
    metrics.decided(decision({ upstream: 'not-declared' }), 6000, 20)
    const found = await samples()
    assert.equal(found.get('planegate_auth_duration_seconds_bucket{le="0.00005"}'), 0)
    assert.equal(found.get('planegate_auth_duration_seconds_bucket{le="0.0001"}'), 1)
    assert.equal(found.get('planegate_auth_duration_seconds_bucket{le="0.005"}'), 2)
    assert.equal(found.get('planegate_auth_duration_seconds_bucket{le="5"}'), 2)
    assert.equal(found.get('planegate_auth_duration_seconds_count'), 3)
    assert.equal(found.get('planegate_upstream_duration_seconds_sum{upstream="accounts"}'), 0.02)
    assert.equal(found.get('planegate_upstream_duration_seconds_count{upstream="jobs"}'), 0)
    assert.ok(![...found.keys()].some((key) => key.includes('not-declared')))
  })

  const events: [string, (to: Metrics) => void, string, number][] = [
    ['a limit', (to) => to.rateLimited('login'), 'planegate_rate_limited_total{limit="login"}', 1],
    ['an invariant', (to) => to.invariantViolated('I5'), 'planegate_invariant_violations_total{invariant="I5"}', 1],
    ['the token cache', (to) => to.tokenCache('hit'), 'planegate_token_cache_total{result="hit"}', 1],
    ['a fetch', (to) => to.jwksFetch('clerk', 'failure'), 'planegate_jwks_fetch_total{provider="clerk",result="failure"}', 1],
    ['a provider', (to) => to.providerReady('clerk', true), 'planegate_provider_ready{provider="clerk"}', 1],
    ['revocations', (to) => to.revocationLag(0.25), 'planegate_revocation_lag_seconds', 0.25],
    ['audit records', (to) => to.auditRecorded(7), 'planegate_audit_records_total', 7],
    ['dropped records', (to) => to.auditDropped(3), 'planegate_audit_dropped_total', 3],
    ['a refused configuration', (to) => to.configReload(false), 'planegate_config_last_reload_success', 0],
  ]
  for (const [name, act, series, value] of events) {
    it(`counts ${name}`, async () => {
      act(metrics)
      assert.equal((await samples()).get(series), value)
    })
  }

  it('makes no series of names that are not declared', async () => {
    const before = (await samples()).size
    metrics.rateLimited('x')
    metrics.jwksFetch('x', 'success')
    assert.equal((await samples()).size, before)
  })
})
