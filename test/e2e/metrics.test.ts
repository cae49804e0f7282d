import assert from 'node:assert/strict'
import { before, describe, it } from 'node:test'
import { BASICS, RecordingUpstream, sendRaw } from '../support/gateway.ts'
import { auditRecords, fileLifetime, filesOf, printed, type Serving, serving, until } from './program.ts'

/** What operators see: metrics whose labels no client can write, liveness and readiness. */

const ROUTES = `
plane: BOTH
upstream: app
routes:
  - { id: people, path: /people/*, plane: HUMAN_ONLY, methods: [GET, POST], limits: [per-subject], require: any }
  - { id: jobs, path: /workers/*, plane: MACHINE_ONLY, kind: worker, require: any }
  - { id: page, path: /page/*, plane: PUBLIC, reason: test }
`
/** As the contract lists them: the labels of each, in any order. */
const METRICS: Readonly<Record<string, readonly string[]>> = {
  decisions_total: ['route', 'plane', 'outcome', 'code'],
  http_requests_total: ['route', 'method', 'status'],
  auth_duration_seconds: [],
  upstream_duration_seconds: ['upstream'],
  token_cache_total: ['result'],
  rate_limited_total: ['limit'],
  invariant_violations_total: ['invariant'],
  revocation_lag_seconds: [],
  jwks_fetch_total: ['provider', 'result'],
  provider_ready: ['provider'],
  audit_records_total: [],
  audit_dropped_total: [],
  config_last_reload_success: [],
  build_info: ['version'],
}
/** Text that stands nowhere in the configuration: whatever carries it, no metric may. */
const STRANGE = 'zzstrangezz'

const lifetime = fileLifetime()
let gateway: Serving
let folder: string
let token: string

before(async () => {
  const upstream = await RecordingUpstream.start()
  lifetime.after(() => upstream.close())
  const config = `
server: { host: 127.0.0.1, port: 0, trustedProxies: [127.0.0.1] }
invariants: { workerPaths: [/workers/*] }
limits: [{ name: per-subject, key: subject, rate: 2/min, burst: 2 }]
upstreams: { app: { targets: ['${upstream.origin}'] } }
`
  const files = filesOf(lifetime, config, ROUTES, BASICS.replace(/server: .*\n/, ''))
  folder = files.folder
  gateway = await serving(lifetime, files.file)
  token = await printed(lifetime, [
    'dev-token',
    '--sub',
    `${STRANGE}-subject`,
    '--sid',
    `${STRANGE}-session`,
    '--config',
    files.file,
  ])
  await traffic()
})

/** Something of everything: allowed, refused by each way, strange in every place that a client can write. */
async function traffic(): Promise<void> {
  const bearer = `Authorization: Bearer ${token}`
  const requests: [line: string, headers: string[]][] = [
    ['GET /people/1', [bearer]],
    [`GET /people/${STRANGE}?${STRANGE}=1`, [bearer, `X-Planegate-User: ${STRANGE}`]],
    ['POST /people/1', [bearer, 'Content-Length: 0']],
    ['GET /people/1', [bearer, 'X-API-Key: pgk_dev_x']],
    ['GET /people/1', ['X-API-Key: pgk_dev_x']],
    ['GET /workers/1', [bearer]],
    ['GET /people/1', [`Authorization: Bearer ${STRANGE}`]],
    [`GET /${STRANGE}`, []],
    [`${STRANGE.toUpperCase()} /page/1`, []],
    ['PURGE /page/1', []],
    ['GET /page/1', [`X-Forwarded-For: 203.0.113.77`, `User-Agent: ${STRANGE}`, `X-Request-Id: ${STRANGE}`]],
    [`GET /page/${STRANGE}/..%2f`, []],
    ['GET /page/1', [`Host: ${STRANGE}.example.com`]],
  ]
  for (const [line, headers] of requests) {
    const host = headers.some((header) => header.startsWith('Host:')) ? [] : ['Host: api.example.com']
    const bytes = [`${line} HTTP/1.1`, ...host, ...headers, 'Connection: close', '', ''].join('\r\n')
    const { status } = await sendRaw(gateway.port, bytes, { waitForClose: true })
    assert.ok(status >= 200, line)
  }
  await until('every request has its record', () => auditRecords(folder).length >= requests.length)
  assert.equal(auditRecords(folder).length, requests.length)
}

const metrics = async () => {
  const answer = await fetch(`${gateway.admin}/metrics`)
  assert.equal(answer.status, 200)
  assert.match(answer.headers.get('content-type') ?? '', /^text\/plain; version=/)
  return (await answer.text()).split('\n')
}

interface Series {
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

async function seriesOf(name: string): Promise<Series[]> {
  const pattern = new RegExp(`^planegate_${name}(?:_bucket|_count|_sum)?(?:\\{(.*)\\})? (\\S+)$`)
  return (await metrics()).flatMap((line): Series[] => {
    const found = pattern.exec(line)
    if (found === null) return []
    const labels = Object.fromEntries(
      [...(found[1] ?? '').matchAll(/(\w+)="([^"]*)"/g)].map(([, label = '', value = '']) => [label, value]),
    )
    return [{ labels, value: Number(found[2]) }]
  })
}

async function sum(name: string, labels: Readonly<Record<string, string>>): Promise<number> {
  const fitting = (await seriesOf(name)).filter((series) =>
    Object.entries(labels).every(([label, value]) => series.labels[label] === value),
  )
  return fitting.reduce((total, { value }) => total + value, 0)
}

describe('/metrics', () => {
  for (const [name, labels] of Object.entries(METRICS)) {
    it(`has planegate_${name}{${labels.join()}}`, async () => {
      const series = await seriesOf(name)
      assert.ok(series.length > 0)
      for (const one of series) {
        const names = Object.keys(one.labels).filter((label) => label !== 'le')
        assert.deepEqual(names.toSorted(), labels.toSorted())
      }
    })
  }

  const counted: [name: string, labels: Record<string, string>, value: number][] = [
    ['decisions_total', { route: 'people', plane: 'HUMAN_ONLY', outcome: 'allow' }, 2],
    ['decisions_total', { route: 'people', outcome: 'deny', code: 'rate-limited' }, 1],
    ['decisions_total', { outcome: 'deny', code: 'credential-invalid' }, 1],
    ['decisions_total', { route: 'none', outcome: 'deny', code: 'route-unknown' }, 1],
    ['http_requests_total', { route: 'people', method: 'GET', status: '200' }, 2],
    ['http_requests_total', { route: 'none', status: '404' }, 1],
    ['rate_limited_total', { limit: 'per-subject' }, 1],
    ['invariant_violations_total', { invariant: 'I1' }, 1],
    ['invariant_violations_total', { invariant: 'I2' }, 1],
    ['invariant_violations_total', { invariant: 'I3' }, 1],
    ['invariant_violations_total', { invariant: 'I5' }, 1],
    ['token_cache_total', { result: 'hit' }, 2],
    ['provider_ready', { provider: 'development' }, 1],
    ['audit_dropped_total', {}, 0],
    ['config_last_reload_success', {}, 1],
  ]
  for (const [name, labels, value] of counted) {
    it(`counts ${name}${JSON.stringify(labels)}`, async () => assert.equal(await sum(name, labels), value))
  }

  it('counts every record', async () => assert.equal(await sum('audit_records_total', {}), auditRecords(folder).length))

  it('has nothing that a client wrote, and no address', async () => {
    const text = (await metrics()).join('\n')
    for (const written of [STRANGE, STRANGE.toUpperCase(), 'PURGE', '203.0.113.77', '127.0.0.1', 'api.example.com', token]) {
      assert.ok(!text.includes(written), `a metric holds ${written}`)
    }
    for (const { labels } of [...(await seriesOf('decisions_total')), ...(await seriesOf('http_requests_total'))]) {
      assert.match(labels.route ?? '', /^(?:people|jobs|page|none|planegate:[a-z-]+)$/)
      assert.match(labels.method ?? 'OTHER', /^(?:GET|POST|OTHER|HEAD|PUT|PATCH|DELETE|OPTIONS)$/)
    }
  })
})

describe('health', () => {
  it('is on the admin listener only', async () => {
    for (const path of ['/livez', '/readyz', '/metrics']) {
      assert.equal((await fetch(`${gateway.admin}${path}`)).status, 200)
      assert.equal((await fetch(`${gateway.url}${path}`)).status, 404)
    }
  })

  it('and its listener serves no route and answers nothing else', async () => {
    for (const path of ['/page/1', '/people/1', '/', '/.well-known/jwks.json', '/admin/v1/keys'])
      assert.notEqual((await fetch(`${gateway.admin}${path}`)).status, 200)
  })
})
