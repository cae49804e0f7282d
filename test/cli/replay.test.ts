import assert from 'node:assert/strict'
import { appendFileSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { UsageError } from '../../src/cli/arguments.ts'
import { replay } from '../../src/cli/replay.ts'
import type { PastDecision } from '../../src/explain/imagined-record.ts'
import type { Comparison } from '../../src/explain/imagined-replay.ts'
import { UNTOLD as UNTOLD_REASONS } from '../../src/explain/imagined-unknown.ts'
import { recordedIo } from './recorded-io.ts'
import { CONFIG, decisions, REQUESTS, ROUTES, replayOf, Stage } from './recorded-log.ts'

/** A real log of a real gateway, decided again by other configurations; and what those really decide, when they are run and asked the same. */

let stage: Stage
let log = ''

before(async () => {
  stage = await Stage.set()
  log = await stage.log(CONFIG, ROUTES)
})

after(() => stage.close())

/** What cannot be told whatever the configuration is, but one that refuses earlier. */
const UNTOLD: Readonly<Record<string, string>> = {
  'things-both': 'several-credentials',
  'things-expired': 'credential-not-verified',
  'things-stranger': 'credential-not-verified',
  'things-wrong-key': 'credential-not-verified',
  'things-revoked': 'revocations-are-state',
  'things-in-path': 'path-not-whole',
  'things-long': 'path-not-whole',
  'things-too-large': 'no-path',
  dots: 'no-path',
  'gold-human': 'claims-not-recorded',
  'gold-robot': 'claims-not-recorded',
  'pages-preflight': 'origin-not-recorded',
  'pages-foreign-preflight': 'origin-not-recorded',
  'pages-socket': 'origin-not-recorded',
  'pages-foreign-socket': 'origin-not-recorded',
  'few-twice': 'limits-are-state',
}

const NO_ROUTE = '404 route-unknown'

interface Change {
  readonly name: string
  readonly config?: (config: string) => string
  readonly routes?: (routes: string) => string
  /** By request: what is decided now. `?`: hangs on its credential. */
  readonly different: Readonly<Record<string, string>>
  /** By request, where it is not as in `UNTOLD`: the reason, or null where it can be told. */
  readonly untold?: Readonly<Record<string, string | null>>
}

const line = (id: string, text: (line: string) => string) => (routes: string) =>
  routes.replace(new RegExp(`^ {2}- \\{ id: ${id},.*$`, 'm'), (found) => text(found))
const without = (id: string) => line(id, () => '  # gone')
const added = (text: string) => (routes: string) => `${routes}  - ${text}\n`

const CHANGES: readonly Change[] = [
  { name: 'nothing', different: {} },
  {
    name: 'a route removed',
    routes: without('people'),
    different: { 'people-human': NO_ROUTE, 'people-key': NO_ROUTE, 'people-roleless': NO_ROUTE, 'people-robot': NO_ROUTE },
  },
  {
    name: 'a route renamed',
    routes: line('views', (text) => text.replace('id: views', 'id: sights')),
    different: { 'views-human': 'allow sights', 'views-key': 'policy-denied sights' },
  },
  {
    name: 'the plane of a route changed',
    routes: line('things', (text) => text.replace('path:', 'plane: HUMAN_ONLY, path:')),
    different: {
      'things-robot': 'plane-mismatch things',
      'things-key': 'plane-mismatch things',
      'things-head': 'plane-mismatch things',
      'things-wrong-key': 'plane-mismatch things',
    },
    untold: { 'things-wrong-key': null },
  },
  {
    name: 'a scope more is asked for',
    routes: line('things', (text) => text.replace('[things:read]', '[things:read, things:all]')),
    different: {
      'things-human': 'scope-insufficient things',
      'things-robot': 'scope-insufficient things',
      'things-key': 'scope-insufficient things',
      'things-head': 'scope-insufficient things',
      'things-spelled': 'scope-insufficient things',
      'things-streamed': 'scope-insufficient things',
    },
  },
  {
    name: 'a role loses its permission',
    config: (config) =>
      config.replace('viewer: [things:view]', 'viewer: [things:other]').replace('roles: {', 'roles: { other: [things:view],'),
    different: { 'views-human': 'policy-denied views' },
  },
  {
    name: 'a method removed',
    routes: line('things', (text) => text.replace('[GET, POST]', '[GET]')),
    different: { 'things-key': 'method-not-allowed', 'things-streamed': 'method-not-allowed' },
  },
  {
    name: 'a host asked for',
    routes: line('views', (text) => text.replace('path:', 'hosts: [other.example], path:')),
    different: { 'views-human': NO_ROUTE, 'views-key': NO_ROUTE },
  },
  {
    name: 'the host that was named asked for',
    routes: line('views', (text) => text.replace('path:', 'hosts: [api.example], path:')),
    different: {},
  },
  {
    name: 'a prefix that is taken off, so that the path sent on is guarded',
    config: (config) => config.replace('[/workers/*]', '[/workers/*, /workhouse/*]'),
    routes: line('batch', (text) => text.replace('require', 'stripPrefix: /v1, require')),
    different: { 'batch-robot': 'worker-refuses-jwt batch' },
  },
  {
    name: 'worker paths extended',
    config: (config) => config.replace('[/workers/*]', '[/workers/*, /things/*]'),
    different: {
      'things-human': 'worker-refuses-jwt things',
      'things-robot': 'worker-refuses-jwt things',
      'things-scopeless': 'worker-refuses-jwt things',
      'things-spelled': 'worker-refuses-jwt things',
      'things-streamed': 'worker-refuses-jwt things',
      'things-expired': 'worker-refuses-jwt things',
      'things-stranger': 'worker-refuses-jwt things',
      'things-revoked': 'worker-refuses-jwt things',
    },
    untold: { 'things-expired': null, 'things-stranger': null, 'things-revoked': null },
  },
  {
    name: 'a worker route that takes tokens',
    config: (config) => config.replace('[/workers/*]', '[/otherworkers/*]'),
    routes: line('jobs', (text) => text.replace('kind: worker, ', '')),
    different: {},
    untold: { 'jobs-robot': 'credential-not-verified' },
  },
  {
    name: 'a provider removed',
    config: (config) => config.replace(/^ {2}- \{ name: robots.*\n/m, ''),
    different: {
      'things-robot': 'credential-invalid things',
      'robots-robot': 'credential-invalid robots',
      'gold-robot': 'credential-invalid gold',
      'batch-robot': 'credential-invalid batch',
      'people-robot': 'credential-invalid people',
    },
    untold: { 'gold-robot': null },
  },
  {
    name: 'the plane of a provider changed',
    config: (config) => config.replace('name: robots, plane: MACHINE', 'name: robots, plane: HUMAN'),
    different: { 'robots-robot': 'plane-mismatch robots', 'people-robot': 'policy-denied people' },
  },
  {
    name: 'a claim asked for',
    routes: line('views', (text) => text.replace('{ permissions: [things:view] }', '{ claims: { tier: gold } }')),
    different: {},
    untold: { 'views-human': 'claims-not-recorded' },
  },
  {
    name: 'a claim no longer asked for',
    routes: line('gold', (text) => text.replace('{ claims: { tier: gold } }', 'any')),
    different: { 'gold-robot': 'allow gold', 'gold-key': 'allow gold' },
    untold: { 'gold-human': null, 'gold-robot': null },
  },
  {
    name: 'a route added, and another one for the spelling',
    routes: (routes) =>
      added('{ id: later, path: /later, require: any }')(
        added('{ id: loud, path: /VIEWS, plane: PUBLIC, reason: loud }')(routes),
      ),
    different: { 'unknown-nobody': '? later', 'unknown-case': '? loud' },
  },
  {
    name: 'a wider route, of which the narrower one has another spelling',
    routes: added('{ id: rest, path: /:any, plane: MACHINE_ONLY, require: any }'),
    different: { 'unknown-nobody': '? rest' },
    untold: { 'unknown-case': 'credential-not-recorded' },
  },
  {
    name: 'a public route closed',
    routes: line('status', (text) => text.replace('PUBLIC, reason: open data', 'BOTH, require: any')),
    different: { 'status-nobody': 'credential-missing status', 'status-basic': 'credential-missing status' },
    untold: { 'status-human': 'credential-not-verified', 'status-junk': 'credential-not-verified' },
  },
  {
    name: 'a closed route made public',
    routes: line('things', (text) =>
      text.replace('path:', 'plane: PUBLIC, reason: open, path:').replace(/, require: .* \}$/, ' }'),
    ),
    different: {
      'things-scopeless': 'allow things',
      'things-nobody': 'allow things',
      'things-query': 'allow things',
      'things-basic': 'allow things',
      'things-expired': 'allow things',
      'things-stranger': 'allow things',
      'things-wrong-key': 'allow things',
      'things-revoked': 'allow things',
    },
    untold: { 'things-expired': null, 'things-stranger': null, 'things-wrong-key': null, 'things-revoked': null },
  },
  {
    name: 'pages of another origin let in',
    routes: line('plain', (text) => text.replace('require', "cors: { origins: ['https://app.example'] }, require")),
    different: {},
    untold: {
      'plain-options': 'origin-not-recorded',
      'plain-preflight': 'origin-not-recorded',
      'plain-socket': 'origin-not-recorded',
    },
  },
  {
    name: 'pages of other origins no longer let in',
    routes: line('pages', (text) => text.replace(/, cors: .*\}/, ' }')),
    different: {
      'pages-preflight': 'method-not-allowed',
      'pages-foreign-preflight': 'method-not-allowed',
      'pages-foreign-socket': 'allow pages',
    },
    untold: { 'pages-preflight': null, 'pages-foreign-preflight': null, 'pages-socket': null, 'pages-foreign-socket': null },
  },
]

describe('a recorded decision, made again', () => {
  for (const change of CHANGES) {
    it(`with ${change.name}`, async () => {
      const { config, routes } = changed(change)
      const found = await replayOf(log, stage.gateway(stage.write('candidate', config, routes)))
      assert.equal(found.size, REQUESTS.length)
      const different: Record<string, string> = {}
      const untold: Record<string, string> = {}
      for (const [id, comparison] of found) {
        if (comparison.result === 'different') different[id] = written(comparison)
        if (comparison.result === 'untold') untold[id] = comparison.reason
      }
      const expected = Object.entries({ ...UNTOLD, ...change.untold }).filter(([, reason]) => reason !== null)
      assert.deepEqual(
        different,
        Object.fromEntries(Object.entries(change.different).map(([id, to]) => [id, to.replace('404 ', '')])),
      )
      assert.deepEqual(untold, Object.fromEntries(expected))
    })

    it(`as it is really made with ${change.name}`, async () => {
      const { config, routes } = changed(change)
      const real = await decisions(await stage.log(config, routes))
      const recorded = await decisions(log)
      const found = await replayOf(log, stage.gateway(stage.write('candidate', config, routes)))
      for (const [id, comparison] of found) {
        const was = decided(recorded.get(id))
        const is = decided(real.get(id))
        if (comparison.result === 'same') assert.equal(is, was, id)
        if (comparison.result === 'different') assert.notEqual(is, was, id)
        // Where nobody looked, a scheme that is not taken cannot be told from no credential.
        if (comparison.result === 'different' && comparison.to.decision !== null && id !== 'status-basic')
          assert.equal(is, written(comparison), id)
      }
    })
  }
})

function changed({ config = (text) => text, routes = (text) => text, name }: Change): { config: string; routes: string } {
  const both = { config: config(CONFIG), routes: routes(ROUTES) }
  if (name !== 'nothing') assert.notDeepEqual(both, { config: CONFIG, routes: ROUTES })
  return both
}

function written({ to: { decision, code, route } }: Extract<Comparison, { result: 'different' }>): string {
  return [decision === null ? '?' : (code ?? 'allow'), route].filter((part) => part !== null).join(' ')
}

/** What went wrong behind the decision was allowed by it. */
function decided(past: PastDecision | undefined): string {
  assert.ok(past)
  const later = past.code?.startsWith('upstream-') || (past.code === 'body-too-large' && past.path !== null)
  return [later ? 'allow' : (past.code ?? 'allow'), past.route].filter((part) => part !== null).join(' ')
}

describe('planegate replay', () => {
  const run = async (...argv: string[]) => {
    const io = recordedIo()
    return { code: await replay(argv, io), ...io.written }
  }
  const same = () => stage.write('same', CONFIG, ROUTES)
  const other = () => stage.write('other', CONFIG, changed(CHANGES[4] as Change).routes)

  it('finds no difference under the same configuration', async () => {
    const { code, out, err } = await run(log, '--config', same())
    assert.equal(err, '')
    assert.equal(code, 0, out)
    assert.match(out, new RegExp(`^${REQUESTS.length} decisions: 41 same, 0 different, 16 cannot be told\n`))
    assert.match(
      out,
      /\n {2}4 {2}origin-not-recorded: the rule asks which page it comes from, which no record holds\n {6} +pages-preflight {2}OPTIONS \/pages\/1\n/,
    )
    assert.doesNotMatch(out, /Different:/)
  })

  it('groups what is different, the most frequent first, with examples', async () => {
    const { code, out } = await run(log, '--config', other())
    assert.equal(code, 1)
    assert.match(
      out,
      /\nDifferent:\n {2}6 {2}allow -> 403 scope-insufficient {2}by things \(.*main\.yaml:4\)\n +things-human {2}GET \/things\/1\n.*\n.*\n\nCannot/,
    )
  })

  it('writes one JSON object', async () => {
    const { code, out, err } = await run(log, '--json', '--config', other())
    const report = JSON.parse(out)
    assert.deepEqual([code, err, report.ok, report.different, report.differences.length], [1, '', false, 6, 1])
    assert.deepEqual(report.differences[0].from, { decision: 'allow', code: null, route: 'things' })
    assert.deepEqual(report.differences[0].examples[0], { requestId: 'things-human', method: 'GET', path: '/things/1' })
    assert.equal(report.decisions, report.same + report.different + report.untold)
  })

  it('reads one segment, compressed or not', async () => {
    const [segment = ''] = readdirSync(log).filter((name) => name.endsWith('.jsonl'))
    const text = readFileSync(join(log, segment))
    const packed = join(stage.folder, `${segment}.gz`)
    writeFileSync(packed, gzipSync(text))
    for (const file of [join(log, segment), packed])
      assert.match((await run(file, '--config', same())).out, /^\d+ decisions: 41 same/)
    writeFileSync(packed, gzipSync(text).subarray(0, -20))
    const torn = await run(packed, '--config', same())
    assert.deepEqual([torn.code, torn.out], [1, ''])
    assert.match(torn.err, /jsonl\.gz cannot be read \(Z_BUF_ERROR\)/)
  })

  it('names lines that cannot be read and goes on', async () => {
    const copy = copyOf('torn')
    const [segment = ''] = readdirSync(copy).filter((name) => name.endsWith('.jsonl'))
    appendFileSync(join(copy, segment), 'nonsense\n{"requestId":7,"decision":"allow"}\n[]\n{"requestId":"cut')
    const { code, out } = await run(copy, '--config', same())
    assert.equal(code, 0)
    assert.match(out, /\n4 lines that cannot be read: audit-\d+\.jsonl:\d+, /)
  })

  it('takes records without a caller, a host or a list for what they are', async () => {
    const file = join(stage.folder, 'audit-000000000001.jsonl')
    const record = {
      time: '2026-01-01T00:00:00.000Z',
      decision: 'allow',
      code: null,
      reason: null,
      route: 'things',
      method: 'GET',
      status: 200,
    }
    const verified = {
      actor: 'human',
      issuer: 'https://people.example',
      subject: 'hmac:0123',
      credential: { kind: 'jwt', id: 'x' },
    }
    const known = {
      ...record,
      ...verified,
      host: 'h',
      path: '/things/1',
      scopes: ['things:read'],
      roles: [],
      clientIp: 'hmac:4567',
    }
    const { issuer: _i, subject: _s, scopes: _c, roles: _r, host: _h, ...older } = known
    const rows: [id: string, record: object, reason: string | null][] = [
      ['pseudonymous', known, null],
      ['older', older, 'caller-not-recorded'],
      ['too-many-scopes', { ...known, scopes: null }, 'scopes-not-recorded'],
      ['too-many-roles', { ...known, roles: null }, null],
      ['roles-asked', { ...known, path: '/people/1', route: 'people', roles: null }, 'roles-not-recorded'],
      ['failed', { ...known, decision: 'deny', code: 'internal', status: 500 }, 'gateway-failed'],
      ['unrecorded', { ...known, decision: 'deny', code: 'audit-unavailable', path: null }, 'gateway-failed'],
      ['list-failed', { ...known, decision: 'deny', code: 'revocation-unavailable' }, 'revocations-are-state'],
      ['hung-up', { ...known, reason: 'client-disconnected', status: 499 }, null],
    ]
    writeFileSync(file, rows.map(([requestId, row]) => `${JSON.stringify({ ...row, requestId })}\n`).join(''))
    const { out } = await run(file, '--json', '--config', same())
    const report = JSON.parse(out)
    const found = report.untoldReasons.flatMap(({ reason, examples }: { reason: string; examples: { requestId: string }[] }) =>
      examples.map(({ requestId }) => [requestId, reason]),
    )
    const expected = rows.flatMap(([id, , reason]) => (reason === null ? [] : [[id, reason]]))
    assert.deepEqual(found.toSorted(), expected.toSorted())
    assert.deepEqual([report.same, report.different], [3, 0])
    const hosts = stage.write(
      'hosts',
      CONFIG,
      line('views', (text) => text.replace('path:', 'hosts: [a.example], path:'))(ROUTES),
    )
    assert.match((await run(file, '--config', hosts)).out, / 1 {2}host-not-recorded: .*\n +older {2}GET/)
  })

  it('decides at the time of the record, and counts what a record stands for', async () => {
    const file = join(stage.folder, 'audit-000000000002.jsonl')
    const record = {
      requestId: 'a',
      decision: 'allow',
      code: null,
      route: 'status',
      credential: null,
      method: 'GET',
      host: 'h',
      path: '/status',
      status: 200,
    }
    const at = (time: string, durationMs = 0) => ({ ...record, time, durationMs })
    const limited = { ...at('2098-01-01T00:00:00.000Z'), decision: 'deny', code: 'rate-limited', path: null, count: 41 }
    // The second arrived on the last day and was answered on the next.
    const records = [
      at('2098-12-31T23:59:59.999Z'),
      at('2099-01-01T00:00:01.000Z', 2_000),
      at('2099-01-01T00:00:01.000Z'),
      limited,
    ]
    writeFileSync(file, records.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const expiring = stage.write(
      'expiring',
      CONFIG,
      line('status', (text) => text.replace('path', 'expires: 2098-12-31, path'))(ROUTES),
    )
    const report = JSON.parse((await run(file, '--json', '--config', expiring)).out)
    assert.deepEqual([report.decisions, report.same, report.different, report.untold], [44, 2, 1, 41])
    assert.equal(report.differences[0].to.code, 'route-unknown')
    const since = JSON.parse((await run(file, '--json', '--since', '2099-01-01T00:00:00Z', '--config', expiring)).out)
    assert.deepEqual([since.decisions, since.earlier, since.different], [1, 3, 1])
  })

  it('with --was says where a provider verifies otherwise', async () => {
    const stricter = CONFIG.replace(
      "issuer: 'https://robots.example', audiences: [api]",
      "issuer: 'https://robots.example', audiences: [other]",
    )
    const candidate = stage.write('stricter', stricter, ROUTES)
    assert.match((await run(log, '--config', candidate)).out, / 41 same, 0 different/)
    const { code, out } = await run(log, '--was', same(), '--config', candidate)
    assert.equal(code, 0)
    assert.match(out, /\n {2}5 {2}provider-changed: .*\n +things-robot {2}GET/)
    assert.match((await run(log, '--was', same(), '--config', same())).out, / 41 same, 0 different/)
    const expired = stage.write(
      'expired',
      CONFIG,
      line('status', (text) => text.replace('path', 'expires: 2020-12-31, path'))(ROUTES),
    )
    assert.match((await run(log, '--was', expired, '--config', same())).out, / 41 same, 0 different/)
  })

  it('lets nothing of a log reach the terminal but plain text', async () => {
    const file = join(stage.folder, 'audit-000000000003.jsonl')
    const record = {
      requestId: '\u001b[2J',
      decision: 'deny',
      code: '\u001b[31m',
      route: null,
      credential: null,
      method: '\u0007',
      host: 'h',
      path: '/x',
      status: 200,
    }
    writeFileSync(file, `${JSON.stringify({ ...record, time: '2026-01-01T00:00:00Z' })}\n`)
    const { out } = await run(file, '--config', same())
    assert.match(out, /\n +\\u001b\[2J {2}\\u0007 \/x\n/)
    assert.doesNotMatch(out.replaceAll('\n', ''), /[^\x20-\x7e]/)
  })

  it('lists the mistakes of a configuration', async () => {
    const wrong = stage.write('wrong', `${CONFIG}prot: 1\n`, ROUTES)
    const { code, out } = await run(log, '--config', wrong)
    assert.equal(code, 1)
    assert.match(out, /gateway\.yaml:\d+:1 prot: there is no such key.*\n1 mistake\n$/)
    assert.equal(JSON.parse((await run(log, '--json', '--config', same(), '--was', wrong)).out).mistakes[0].path, 'prot')
  })

  it('names a log that is not there, and a folder that is none', async () => {
    const absent = await run(join(stage.folder, 'absent'), '--config', same())
    assert.deepEqual([absent.code, absent.out], [1, ''])
    assert.match(absent.err, /^planegate replay: .*absent cannot be read \(ENOENT\)\n$/)
    assert.match((await run(join(stage.folder, 'base'), '--config', same())).err, /base holds no audit-\*\.jsonl\n$/)
    const json = await run(join(stage.folder, 'absent'), '--json', '--config', same())
    assert.equal(JSON.parse(json.out).ok, false)
  })

  it('has every reason in docs/why.md', () => {
    const page = readFileSync(join(import.meta.dirname, '../../docs/why.md'), 'utf8')
    for (const [reason, meaning] of Object.entries(UNTOLD_REASONS))
      assert.ok(page.includes(`| \`${reason}\` | ${meaning} |`), reason)
  })

  for (const argv of [
    [],
    ['log'],
    ['a', 'b', '--config', 'c'],
    ['log', '--config', 'c', '--since', 'once'],
    ['log', '--confg', 'c'],
  ]) {
    it(`does not understand ${argv.join(' ') || 'nothing'}`, async () => {
      await assert.rejects(replay(argv, recordedIo()), UsageError)
    })
  }

  function copyOf(name: string): string {
    const copy = join(stage.folder, name)
    rmSync(copy, { recursive: true, force: true })
    cpSync(log, copy, { recursive: true })
    return copy
  }
})
