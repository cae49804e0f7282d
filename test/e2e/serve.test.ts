import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { BASICS } from '../support/gateway.ts'
import { filesOf, isRefused, logLines, planegate, run, serving } from './program.ts'

/** `serve` as its users start it: what it prints, and how it refuses to start. */

const UPSTREAM = `upstreams: { app: { targets: ['http://127.0.0.1:9'] } }\n`
const ROUTES = 'plane: PUBLIC\nupstream: app\nroutes:\n  - { id: page, path: /page, reason: test }\n'

describe('serve starts', { concurrency: 2 }, () => {
  it('prints one line when it accepts requests, with the ports that it was given', async (test) => {
    const { program, url, admin } = await serving(test, filesOf(test, UPSTREAM, ROUTES).file)
    assert.equal((await fetch(`${url}/.well-known/jwks.json`)).status, 200)
    assert.equal((await fetch(`${admin}/readyz`)).status, 200)
    program.kill('SIGTERM')
    const { code, stdout, stderr } = await program.end()
    assert.deepEqual([code, stderr], [0, ''])
    const plain = stdout.split('\n').filter((line) => line !== '' && !line.startsWith('{'))
    assert.equal(plain.length, 1, stdout)
    assert.ok(await isRefused(Number(new URL(url).port)))
  })

  it('listens where the configuration says', async (test) => {
    const port = await freePort()
    const { file } = filesOf(
      test,
      UPSTREAM,
      ROUTES,
      BASICS.replace('server: { host: 127.0.0.1, port: 0 }', `server: { port: ${port} }`),
    )
    assert.equal((await serving(test, file)).port, port)
  })

  it('reads ./config/gateway.yaml where --config says nothing', async (test) => {
    const { folder } = filesOf(test, UPSTREAM, ROUTES)
    const home = join(folder, 'home')
    mkdirSync(join(home, 'config'), { recursive: true })
    const text = readFileSync(join(folder, 'gateway.yaml'), 'utf8').replaceAll('./', '../../')
    writeFileSync(join(home, 'config', 'gateway.yaml'), text)
    const program = planegate(test, ['serve'], { cwd: home })
    await program.says(/^planegate accepts requests on /m)
  })
})

interface Refused {
  readonly name: string
  /** Changes the files; gives the environment. */
  readonly break: (folder: string, change: (from: string, to: string) => void) => Record<string, string> | undefined
  readonly says: RegExp
}

const REFUSED: readonly Refused[] = [
  {
    name: 'the identity key is missing',
    break: (folder) => void rmSync(join(folder, 'keys', 'identity.pem')),
    says: /identity key \S+identity\.pem does not exist; make one with/,
  },
  {
    name: 'the identity key is no key',
    break: (folder) => void writeFileSync(join(folder, 'keys', 'identity.pem'), 'not a key'),
    says: /identity key \S+identity\.pem /,
  },
  {
    name: 'the database is something else',
    break: (folder) => {
      mkdirSync(join(folder, 'data'))
      writeFileSync(join(folder, 'data', 'planegate.db'), 'these are no database pages '.repeat(200))
      return undefined
    },
    says: /cannot open the database \S+planegate\.db: file is not a database/,
  },
  {
    name: 'the database cannot be read',
    break: (folder) => void mkdirSync(join(folder, 'data', 'planegate.db'), { recursive: true }),
    says: /cannot open the database \S+planegate\.db: /,
  },
  {
    name: 'the database is behind and the schema is changed by hand',
    break: (_folder, change) => void change("planegate.db' }", "planegate.db', migrate: manual }"),
    says: /schema is behind \(.+ missing\): run "planegate migrate"/,
  },
  {
    name: 'the audit directory is a file',
    break: (folder) => {
      mkdirSync(join(folder, 'data'))
      writeFileSync(join(folder, 'data', 'audit'), '')
      return undefined
    },
    says: /audit/,
  },
  {
    name: 'the key of the development issuer is no key',
    break: (folder) => {
      mkdirSync(join(folder, 'data'))
      writeFileSync(join(folder, 'data', 'development-issuer.pem'), '')
      return undefined
    },
    says: /the development key \S+ holds no Ed25519 private key/,
  },
  {
    name: 'the admin token is not set',
    break: (_folder, change) => void change('admin: {', 'admin: { token: { env: PLANEGATE_ADMIN_TOKEN },'),
    says: /environment variable PLANEGATE_ADMIN_TOKEN is not set/,
  },
  {
    name: 'the file of the admin token is short',
    break: (folder, change) => {
      writeFileSync(join(folder, 'token'), 'hunter2\n')
      change('admin: {', 'admin: { token: { file: ./token },')
      return undefined
    },
    says: /file \S+token is too short: at least 32 characters are needed/,
  },
]

describe('serve refuses to start, in one fatal line, when', { concurrency: 2 }, () => {
  for (const { name, break: breakIt, says } of REFUSED) {
    it(name, async (test) => {
      const { folder, file } = filesOf(test, UPSTREAM, ROUTES)
      const change = (from: string, to: string) => {
        const text = readFileSync(file, 'utf8')
        assert.ok(text.includes(from))
        writeFileSync(file, text.replace(from, to))
      }
      const env = breakIt(folder, change) ?? {}
      const ended = await run(test, ['serve', '--config', file], { env })
      assertFatal(ended, says)
      assert.doesNotMatch(ended.stdout, /hunter2/)
      assert.ok(!existsSync(join(folder, 'data', 'audit', 'audit.pid')) || !/accepts requests/.test(ended.stdout))
    })
  }

  for (const listener of ['server', 'admin'] as const) {
    it(`the port of ${listener} is in use`, async (test) => {
      const port = await occupiedPort(test)
      const basics = BASICS.replace(
        `${listener}: { host: 127.0.0.1, port: 0 }`,
        `${listener}: { host: 127.0.0.1, port: ${port} }`,
      )
      const ended = await run(test, ['serve', '--config', filesOf(test, UPSTREAM, ROUTES, basics).file])
      assertFatal(ended, new RegExp(`address already in use 127\\.0\\.0\\.1:${port}`))
    })
  }

  it('another gateway has the audit directory, which goes on undisturbed', async (test) => {
    const first = filesOf(test, UPSTREAM, ROUTES)
    const { program, url } = await serving(test, first.file)
    const audit = BASICS.replace('./data/audit', join(first.folder, 'data', 'audit'))
    const ended = await run(test, ['serve', '--config', filesOf(test, UPSTREAM, ROUTES, audit).file])
    assertFatal(ended, new RegExp(`is in use by process ${program.child.pid}; two gateways need two directories`))
    assert.equal((await fetch(`${url}/.well-known/jwks.json`)).status, 200)
  })
})

function assertFatal({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>, says: RegExp): void {
  assert.deepEqual([code, stderr], [1, ''], stdout)
  const fatal = logLines(stdout).filter(({ level }) => level === 'fatal')
  assert.equal(fatal.length, 1, stdout)
  assert.match(fatal[0]?.msg ?? '', says)
  assert.doesNotMatch(stdout, /accepts requests/)
}

describe('mistakes in the configuration', { concurrency: 2 }, () => {
  it('are all named, and nothing is begun', async (test) => {
    const port = await freePort()
    const basics = BASICS.replace('port: 0', `port: ${port}`)
    const { folder, file } = filesOf(
      test,
      `${UPSTREAM}lmits: []\nroles: 7\n`,
      `${ROUTES}  - { id: page, path: relative }\n`,
      basics,
    )
    const { code, stdout, stderr } = await run(test, ['serve', '--config', file])
    assert.deepEqual([code, stdout], [1, ''])
    const lines = stderr.trim().split('\n')
    for (const said of [
      /gateway\.yaml:\d+:\d+ lmits: .*limits/,
      /gateway\.yaml:\d+:\d+ roles: /,
      /all\.yaml:\d+:\d+ routes\[1\]\.path: /,
    ]) {
      assert.ok(
        lines.some((line) => said.test(line)),
        `${said} in ${stderr}`,
      )
    }
    assert.ok(
      lines.every((line) => /^\S+:\d+:\d+ \S+: .+/.test(line)),
      stderr,
    )
    assert.ok(!existsSync(join(folder, 'data')), 'a data folder was made')
    assert.ok(await isRefused(port))
  })

  const wrong: [name: string, change: [from: string, to: string], env: Record<string, string>, says: RegExp][] = [
    [
      'an admin token too short to be one',
      ['admin: {', 'admin: { token: { env: PLANEGATE_T },'],
      { PLANEGATE_T: 'hunter2' },
      /PLANEGATE_T is too short/,
    ],
    [
      'a database URL that is not set',
      ["{ url: 'sqlite:./data/planegate.db' }", '{ url: { env: PLANEGATE_D } }'],
      {},
      /PLANEGATE_D/,
    ],
    [
      'a development issuer outside development',
      ['environment: development', 'environment: staging'],
      {},
      /development\.issuer: the development issuer exists only/,
    ],
    ['YAML that is none', ['environment: development', 'environment: [development'], {}, /gateway\.yaml:\d+:\d+ /],
    ['an inline secret', ['admin: {', 'admin: { token: hunter2,'], {}, /admin\.token: /],
  ]
  for (const [name, [from, to], env, says] of wrong) {
    it(`exit with 1: ${name}`, async (test) => {
      const { folder, file } = filesOf(test, UPSTREAM, ROUTES, BASICS.replace(from, to))
      const { code, stdout, stderr } = await run(test, ['serve', '--config', file], { env })
      assert.deepEqual([code, stdout], [1, ''], stderr)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /hunter2/)
      assert.ok(!existsSync(join(folder, 'data')), 'a data folder was made')
    })
  }

  it('a file that is not there', async (test) => {
    const { code, stdout, stderr } = await run(test, ['serve', '--config', './nowhere.yaml'])
    assert.deepEqual([code, stdout, stderr], [1, '', 'nowhere.yaml:1:1 (document): there is no such file\n'])
  })
})

describe('wrong usage exits with 2 and a sentence:', { concurrency: 2 }, () => {
  const table: [argv: string[], says: RegExp][] = [
    [[], /^usage: planegate <verb>/],
    [['serv'], /^planegate: there is no verb "serv"\nusage: /],
    [['constructor'], /^planegate: there is no verb "constructor"\n/],
    [['--nope'], /^planegate: there is no verb "--nope"\n/],
    [['serve', '--nope'], /^planegate serve: Unknown option '--nope'$/m],
    [['serve', 'gateway.yaml'], /^planegate serve: unexpected argument: ./m],
    [['serve', '--config'], /^planegate serve: .*--config.* argument missing/m],
    [['check', '--strict=yes'], /^planegate check: .*--strict/m],
    [['init', 'a', 'b'], /^planegate init: unexpected argument: ./m],
    [['keys'], /^planegate keys: ./m],
    [['keys', 'create'], /^planegate keys: .*--owner/m],
    [['migrate', '--down', '0'], /^planegate migrate: --down must be/m],
    [['dev-token'], /^planegate dev-token: --sub /m],
  ]
  for (const [argv, says] of table) {
    it(`planegate ${argv.join(' ')}`, async (test) => {
      const { code, stdout, stderr } = await run(test, argv)
      assert.deepEqual([code, stdout], [2, ''], stderr)
      assert.match(stderr, says)
      assert.doesNotMatch(stderr, /\n {4}at |node:internal/)
    })
  }

  it('help and version are no mistake', async (test) => {
    const [help, version] = await Promise.all([run(test, ['--help']), run(test, ['--version'])])
    assert.deepEqual([help.code, help.stderr, version.code, version.stderr], [0, '', 0, ''])
    for (const verb of ['serve', 'check', 'init', 'keys', 'migrate', 'dev-token'])
      assert.match(help.stdout, new RegExp(`^  ${verb} `, 'm'))
    assert.match(version.stdout, /^planegate \d+\.\d+\.\d+\n$/)
  })
})

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}

function occupiedPort(test: TestContext): Promise<number> {
  return new Promise((resolve) => {
    const holder = createServer().listen(0, '127.0.0.1', () => resolve((holder.address() as AddressInfo).port))
    test.after(() => holder.close())
  })
}
