import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { forged, forgingKey, publicJwk } from '../attack/forge.ts'
import { json, openIssuer, type TestIssuer } from '../stores/jose/issuer.ts'
import { BASICS, RecordingUpstream } from '../support/gateway.ts'
import { filesOf, logLines, type Program, planegate, run, serving, until } from './program.ts'

/** Readiness of the providers: what stops a start, what only makes the gateway not ready, and how it recovers. */

const KEY = forgingKey('ES256', 'key-1')
const OTHER_ALGORITHM = forgingKey('EdDSA', 'key-2')
const AUDIENCE = 'https://api.example.com'
const ROUTES = `
plane: HUMAN_ONLY
upstream: app
routes:
  - { id: mine, path: /mine, require: any }
  - { id: page, path: /page, plane: PUBLIC, reason: test }
`

const down: RequestListener = (request) => request.socket.destroy()
const answering =
  (body: object): RequestListener =>
  (_request, response) =>
    json(response, body)

interface Fault {
  readonly name: string
  /** `jwks` of the provider; null: discovery. */
  readonly jwks: string | null
  /** What the issuer answers, when it is asked at all. */
  readonly issuer?: (origin: string) => RequestListener
  /** Content of `keys.json` in the configuration's folder. */
  readonly keysFile?: string
  /** The checks that fail. */
  readonly checks: readonly string[]
}

const FAULTS: readonly Fault[] = [
  { name: 'the issuer is down', jwks: null, issuer: () => down, checks: ['jwks_reachable', 'jwks_usable_key'] },
  {
    name: 'the key set is down',
    jwks: '{ url: ISSUER/jwks.json }',
    issuer: () => down,
    checks: ['jwks_reachable', 'jwks_usable_key'],
  },
  {
    name: 'the key set is not there',
    jwks: '{ url: ISSUER/jwks.json }',
    issuer: () => (_request, response) => response.writeHead(404).end(),
    checks: ['jwks_reachable', 'jwks_usable_key'],
  },
  {
    name: 'the key set is empty',
    jwks: '{ url: ISSUER/jwks.json }',
    issuer: () => answering({ keys: [] }),
    checks: ['jwks_reachable', 'jwks_usable_key'],
  },
  {
    name: 'the key set has only keys for other algorithms',
    jwks: '{ url: ISSUER/jwks.json }',
    issuer: () => answering({ keys: [publicJwk(OTHER_ALGORITHM)] }),
    checks: ['jwks_usable_key'],
  },
  {
    name: 'the metadata names another issuer',
    jwks: null,
    issuer: () => answering({ issuer: 'https://id.example.net', jwks_uri: 'https://id.example.net/jwks.json' }),
    checks: ['issuer', 'jwks_source', 'jwks_reachable', 'jwks_usable_key'],
  },
  {
    name: 'the metadata names no key set',
    jwks: null,
    issuer: (origin) => answering({ issuer: origin }),
    checks: ['jwks_source', 'jwks_reachable', 'jwks_usable_key'],
  },
  {
    name: 'the file of keys is missing',
    jwks: '{ file: ./keys.json }',
    checks: ['jwks_reachable', 'jwks_usable_key'],
  },
  {
    name: 'the file of keys is no JSON',
    jwks: '{ file: ./keys.json }',
    keysFile: 'keys',
    checks: ['jwks_reachable', 'jwks_usable_key'],
  },
]

/** A gateway with one provider beside the development issuer, which is left out where `environment` does not allow it. */
async function withFault(test: TestContext, fault: Fault, environment: string, more = '') {
  const issuer = await openIssuer(test)
  if (fault.issuer !== undefined) issuer.answer(fault.issuer(issuer.origin))
  const upstream = await RecordingUpstream.start()
  test.after(() => upstream.close())
  const origin = environment === 'production' ? 'https://id.example.com' : issuer.origin
  const jwks = fault.jwks === null ? '' : `, jwks: ${fault.jwks.replace('ISSUER', origin)}`
  const config = `
providers:
  - { name: main, plane: HUMAN, issuer: '${origin}', audiences: ['${AUDIENCE}'], algorithms: [ES256]${jwks} }
upstreams: { app: { targets: ['${upstream.origin}'] } }
${more}`
  const basics = BASICS.replace('environment: development', `environment: ${environment}`)
    .replace('development: { issuer: true }\n', '')
    .replace('publicOrigin: http://127.0.0.1:8080', `publicOrigin: ${AUDIENCE}`)
  const files = filesOf(test, config, ROUTES, basics)
  if (fault.keysFile !== undefined) writeFileSync(join(files.folder, 'keys.json'), fault.keysFile)
  return { issuer, ...files }
}

const tokenOf = ({ origin }: TestIssuer) => {
  const now = Math.floor(Date.now() / 1000)
  return forged(
    KEY,
    { alg: 'ES256', typ: 'at+jwt', kid: KEY.kid },
    { iss: origin, sub: 'u', aud: AUDIENCE, iat: now, exp: now + 300 },
  )
}

async function assertRefused(program: Promise<Awaited<Program['ended']>>, fault: Fault): Promise<void> {
  const { code, stdout, stderr } = await program
  assert.deepEqual([code, stderr], [1, ''], stdout)
  assert.doesNotMatch(stdout, /accepts requests|Server listening/)
  const fatal = logLines(stdout).filter(({ level }) => level === 'fatal')
  assert.equal(fatal.length, 1, stdout)
  for (const check of fault.checks) assert.match(fatal[0]?.msg ?? '', new RegExp(`\\b${check} of main\\b`))
}

describe('providers', { concurrency: true }, () => {
  describe('a strict start stops, with the names of the checks, when', { concurrency: 2 }, () => {
    for (const [index, fault] of FAULTS.entries()) {
      const environment = index % 2 === 0 ? 'staging' : 'development'
      it(`${fault.name} (${environment})`, async (test) => {
        const { file } = await withFault(test, fault, environment, 'startup: { strict: true }\n')
        await assertRefused(run(test, ['serve', '--config', file]), fault)
      })
    }

    for (const strict of ['', 'startup: { strict: false }\n']) {
      it(`production is always strict (${strict.trim() || 'nothing said'})`, async (test) => {
        const fault: Fault = { name: '', jwks: '{ file: ./keys.json }', checks: ['jwks_reachable', 'jwks_usable_key'] }
        const { file } = await withFault(test, fault, 'production', strict)
        await assertRefused(run(test, ['serve', '--config', file]), fault)
      })
    }

    it('an issuer that takes the connection and says nothing, within the time for the checks', async (test) => {
      const silent: Fault = { name: '', jwks: null, issuer: () => () => {}, checks: ['jwks_reachable', 'jwks_usable_key'] }
      const { file } = await withFault(test, silent, 'staging', 'startup: { strict: true }\n')
      await assertRefused(planegate(test, ['serve', '--config', file]).end(9_000), silent)
    })

    it('but not when all is well, in production too', async (test) => {
      const good: Fault = {
        name: '',
        jwks: '{ file: ./keys.json }',
        keysFile: JSON.stringify({ keys: [publicJwk(KEY)] }),
        checks: [],
      }
      const { file } = await withFault(test, good, 'production')
      const { url, admin } = await serving(test, file)
      assert.equal((await fetch(`${admin}/readyz`)).status, 200)
      const token = tokenOf({ origin: 'https://id.example.com' } as TestIssuer)
      assert.equal((await fetch(`${url}/mine`, { headers: { authorization: `Bearer ${token}` } })).status, 200)
    })
  })

  describe('a start that is not strict', { concurrency: 2 }, () => {
    it('serves what it can, says what is wrong, and recovers without a restart', async (test) => {
      const { issuer, file } = await withFault(test, FAULTS[0] as Fault, 'staging')
      const { program, url, admin } = await serving(test, file)
      const mine = () => fetch(`${url}/mine`, { headers: { authorization: `Bearer ${tokenOf(issuer)}` } })
      const ready = async () => {
        const answer = await fetch(`${admin}/readyz`)
        return {
          status: answer.status,
          body: (await answer.json()) as { status: string; failing: { name: string; provider: string }[] },
        }
      }

      const sick = await ready()
      assert.deepEqual([sick.status, sick.body.status], [503, 'not-ready'])
      assert.deepEqual(
        sick.body.failing.map(({ name, provider }) => `${name} of ${provider}`),
        ['jwks_reachable of main', 'jwks_usable_key of main'],
      )
      const refused = await mine()
      assert.deepEqual([refused.status, ((await refused.json()) as { code: string }).code], [503, 'keys-unavailable'])
      assert.match(refused.headers.get('retry-after') ?? '', /^\d+$/)
      assert.equal(refused.headers.get('www-authenticate'), null)
      assert.equal((await fetch(`${url}/page`)).status, 200, 'what needs no token is served')
      assert.equal(await gauge(admin, 'planegate_provider_ready{provider="main"}'), 0)
      assert.match(program.stdout, /"level":"error".*jwks_reachable.*A provider is not ready/)

      issuer.publish([publicJwk(KEY)])
      await until('the token is believed', async () => (await mine()).status === 200, 15_000)
      await until('it is ready', async () => (await ready()).status === 200, 15_000)
      assert.equal(await gauge(admin, 'planegate_provider_ready{provider="main"}'), 1)
    })

    it('goes on with the keys it has when the issuer goes away', async (test) => {
      const { issuer, file } = await withFault(
        test,
        { name: '', jwks: null, checks: [] },
        'staging',
        'startup: { strict: true }\n',
      ).then((built) => {
        built.issuer.publish([publicJwk(KEY)])
        return built
      })
      const { url, admin } = await serving(test, file)
      await issuer.stop()
      const mine = await fetch(`${url}/mine`, { headers: { authorization: `Bearer ${tokenOf(issuer)}` } })
      assert.equal(mine.status, 200)
      assert.equal((await fetch(`${admin}/readyz`)).status, 200)
    })
  })

  describe('/auth/provider/status', { concurrency: 2 }, () => {
    const FIELDS = [
      'requested_provider',
      'effective_provider',
      'canonical_provider',
      'configured',
      'readiness',
      'provider_diagnostics',
      'deprecation',
    ]
    interface Status {
      requested_provider: string | null
      effective_provider: string | null
      canonical_provider: string | null
      configured: string[]
      readiness: { ready: boolean; checks: { name: string; provider: string | null; ok: boolean; detail: string }[] }
      provider_diagnostics: Record<string, { key_ids: string[]; last_error: string | null }>
      deprecation: unknown
    }
    const good: Fault = {
      name: '',
      jwks: '{ file: ./keys.json }',
      keysFile: JSON.stringify({ keys: [publicJwk(KEY)] }),
      checks: [],
    }
    const missing: Fault = { name: '', jwks: '{ file: ./keys.json }', checks: [] }

    async function open(test: TestContext, fault: Fault, exposure: string, env: Record<string, string> = {}) {
      const { file } = await withFault(
        test,
        fault,
        'staging',
        exposure === '' ? '' : `providerStatus: { exposure: ${exposure} }\n`,
      )
      const { url, admin } = await serving(test, file, { env })
      return { onPublic: await fetch(`${url}/auth/provider/status`), onAdmin: await fetch(`${admin}/auth/provider/status`) }
    }

    it('is on the admin listener unless said otherwise, with everything', async (test) => {
      const { onPublic, onAdmin } = await open(test, good, '')
      assert.deepEqual([onPublic.status, onAdmin.status], [404, 200])
      const status = (await onAdmin.json()) as Status
      assert.deepEqual(Object.keys(status), FIELDS)
      assert.deepEqual(
        [status.requested_provider, status.effective_provider, status.canonical_provider, status.configured, status.deprecation],
        ['main', 'main', 'main', ['main'], null],
      )
      assert.equal(status.readiness.ready, true)
      const names = status.readiness.checks.filter(({ provider }) => provider === 'main').map(({ name }) => name)
      assert.deepEqual(names, ['issuer', 'audience', 'algorithms', 'jwks_source', 'jwks_reachable', 'jwks_usable_key'])
      for (const check of status.readiness.checks) assert.deepEqual(Object.keys(check), ['name', 'provider', 'ok', 'detail'])
      assert.deepEqual(status.provider_diagnostics.main?.key_ids, ['key-1'])
      assert.match(onAdmin.headers.get('cache-control') ?? '', /no-store/)
    })

    it('is public where it is to be, without details', async (test) => {
      const { onPublic, onAdmin } = await open(test, missing, 'public')
      assert.deepEqual([onPublic.status, onAdmin.status], [200, 404])
      const status = (await onPublic.json()) as Status
      assert.deepEqual(Object.keys(status), FIELDS)
      assert.deepEqual([status.requested_provider, status.effective_provider, status.readiness.ready], ['main', null, false])
      assert.deepEqual(status.provider_diagnostics, {})
      assert.deepEqual(new Set(status.readiness.checks.map(({ detail }) => detail)), new Set(['']))
      assert.ok(status.readiness.checks.some(({ name, ok }) => name === 'jwks_reachable' && !ok))
    })

    it('is nowhere when it is off', async (test) => {
      const { onPublic, onAdmin } = await open(test, good, 'off')
      assert.deepEqual([onPublic.status, onAdmin.status], [404, 404])
    })

    const requested: [name: string, provider: string, requested: string, effective: string | null][] = [
      ['the one that is there', 'main', 'main', 'main'],
      ['one that is not', 'elsewhere', 'elsewhere', null],
      ['nothing, being empty', '', 'main', 'main'],
    ]
    for (const [name, provider, wanted, effective] of requested) {
      it(`PLANEGATE_PROVIDER asks for ${name}`, async (test) => {
        const { onAdmin } = await open(test, good, 'admin', { PLANEGATE_PROVIDER: provider })
        const status = (await onAdmin.json()) as Status
        assert.deepEqual(
          [status.requested_provider, status.effective_provider, status.canonical_provider],
          [wanted, effective, 'main'],
        )
      })
    }
  })
})

async function gauge(admin: string, series: string): Promise<number> {
  const text = await (await fetch(`${admin}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${series} `))
  assert.ok(line !== undefined, `${series} is not there`)
  return Number(line.slice(series.length + 1))
}
