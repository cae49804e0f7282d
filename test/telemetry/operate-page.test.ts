import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { parseDocument } from 'yaml'
import { loadGateway } from '../../src/config/load.ts'
import { REFUSALS } from '../../src/problem/refusals.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8')
const page = read('docs/operate.md')

/** Names in the first column of all tables, with the second column. */
const rows = new Map(
  [...page.matchAll(/^\| `([a-z_-]+)` *\|([^|]*)\|/gm)].map(([, name = '', second = '']) => [name, second.trim()]),
)

describe('the page for operators', () => {
  for (const [code, { status }] of Object.entries(REFUSALS)) {
    it(`says what ${code} means, with its status`, () => assert.equal(rows.get(code), String(status)))
  }

  it('has no code that does not exist', () => {
    const codes = [...rows].filter(([, second]) => /^\d{3}$/.test(second)).map(([name]) => name)
    assert.deepEqual(codes.toSorted(), Object.keys(REFUSALS).toSorted())
  })

  it('lists exactly the metrics that there are, with their labels', async () => {
    const metrics = createMetrics({ version: '1', routes: [], limits: [], providers: [], upstreams: [] })
    const { body } = await metrics.render()
    metrics.close()
    const made = [...body.matchAll(/^# HELP (planegate_\w+)/gm)].map(([, name]) => name)
    const listed = [...rows.keys()].filter((name) => name.startsWith('planegate_'))
    assert.deepEqual(listed.toSorted(), made.toSorted())
  })
})

describe('deployment files', () => {
  const files = ['docker-compose.yml', 'deploy/gateway.yaml', 'deploy/prometheus.yml', 'deploy/alerts.yml']
  for (const path of [...files, 'deploy/routes/accounts.yaml', 'deploy/routes/jobs.yaml']) {
    it(`${path} is YAML without errors and warnings`, () => {
      const { errors, warnings } = parseDocument(read(path), { strict: true, uniqueKeys: true })
      assert.deepEqual([...errors, ...warnings], [])
    })
  }

  it('an issuer that is down wakes somebody while its keys are still held, when its provider is ready', () => {
    const { groups } = parseDocument(read('deploy/alerts.yml')).toJS() as { groups: { rules: { expr: string }[] }[] }
    const exprs = groups.flatMap(({ rules }) => rules.map(({ expr }) => expr))
    assert.ok(exprs.some((expr) => /increase\(planegate_jwks_fetch_total\{result="failure"\}\[\dm\]\) > 0/.test(expr)))
    assert.match(page, /\*\*An issuer is down\*\* *\| `planegate_jwks_fetch_total\{result="failure"\}` rises/)
  })

  it('the configuration of compose has neither mistakes nor warnings', () => {
    const result = loadGateway(join(ROOT, 'deploy/gateway.yaml'), { env: {} })
    assert.deepEqual(result.ok ? result.warnings : result.mistakes, [])
  })

  it('compose mounts only files that are there, and every alert names a metric that exists', () => {
    const compose: { services: Record<string, { volumes?: string[] }> } = parseDocument(read('docker-compose.yml')).toJS()
    const mounted = Object.values(compose.services).flatMap(({ volumes = [] }) =>
      volumes.filter((volume) => volume.startsWith('./')),
    )
    assert.ok(mounted.length > 0)
    for (const volume of mounted.filter((entry) => !entry.includes('routes')))
      assert.ok(read(volume.split(':')[0] ?? '').length > 0)
    const named = [...read('deploy/alerts.yml').matchAll(/planegate_\w+/g)].map(([name]) => name)
    assert.ok(named.length > 0)
    for (const name of named) assert.ok(rows.has(name), name)
  })
})
