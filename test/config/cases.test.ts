import assert from 'node:assert/strict'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { loadCases } from '../../src/config/cases.ts'
import { casesJsonSchema, type JsonSchema } from '../../src/config/json-schema.ts'
import { folderOf } from './written-configuration.ts'

const CALLERS = `callers:
  reader: { provider: people, scopes: [read] }
  job: { apiKey: true, subject: acme }
`

const ONE = '  - { name: it reads, as: reader, request: GET /accounts/7, expect: allow }\n'

function read(text: string) {
  const folder = folderOf({ 'cases.yaml': text })
  return { folder, ...loadCases(join(folder, 'cases.yaml')) }
}

function mistakes(text: string): string[] {
  return read(text).mistakes.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
}

const cases = (...entries: string[]) => `${CALLERS}cases:\n${entries.map((entry) => `  - ${entry}\n`).join('')}`

describe('a table of cases', () => {
  it('is read with its defaults', () => {
    const { folder, config, callers, cases, mistakes } = read(`config: ../gateway.yaml\n${CALLERS}cases:\n${ONE}`)
    assert.deepEqual(mistakes, [])
    assert.equal(config, join(folder, '../gateway.yaml'))
    assert.deepEqual(callers.get('job'), {
      apiKey: true,
      subject: 'acme',
      scopes: [],
      roles: [],
      claims: {},
      path: ['callers', 'job'],
    })
    const request = { method: 'GET', path: '/accounts/7', headers: {}, address: '127.0.0.1', upgrade: false }
    assert.deepEqual(cases, [
      {
        name: 'it reads',
        as: 'reader',
        at: null,
        requests: [{ request, line: 6 }],
        expect: { decision: 'allow' },
        path: ['cases', 0],
      },
    ])
  })

  it('takes requests with their parts spelled out, and several of them', () => {
    const written = `${CALLERS}cases:
  - name: several
    as: nobody
    at: 2027-07-01T00:00:00+02:00
    requests:
      - POST /a?b=c
      - { path: /b, host: 'api.example.com', headers: { X-API-Key: [one, two] }, upgrade: true }
    expect: { code: credential-ambiguous, status: 400, reason: several-credentials, route: r }
`
    const { cases, mistakes } = read(written)
    assert.deepEqual(mistakes, [])
    const [{ requests = [], at, expect } = {}] = cases
    assert.deepEqual(
      requests.map(({ line, request }) => [line, request.method, request.path, request.headers]),
      [
        [9, 'POST', '/a?b=c', {}],
        [10, 'GET', '/b', { 'X-API-Key': ['one', 'two'] }],
      ],
    )
    assert.equal(at, Date.UTC(2027, 5, 30, 22))
    assert.deepEqual(expect, { code: 'credential-ambiguous', status: 400, reason: 'several-credentials', route: 'r' })
  })

  const refused: [name: string, text: string, expected: string[]][] = [
    ['an empty file', '', ['1:1 (document): the file is empty']],
    ['no case', `${CALLERS}cases: []\n`, ['4:8 cases: must not be empty']],
    ['an unknown key', `${CALLERS}cases:\n${ONE}case: 1\n`, ['6:1 case: there is no such key; did you mean cases?']],
    [
      'an unknown key of a caller',
      `callers: { a: { provider: p, scope: [x] } }\ncases: [{ name: a, as: a, request: GET /, expect: allow }]\n`,
      ['1:30 callers.a.scope: there is no such key; did you mean scopes?'],
    ],
    [
      'an unknown key of a request',
      cases('{ name: a, as: job, request: { path: /, header: {} }, expect: allow }'),
      ['5:45 cases[0].request.header: there is no such key; did you mean headers?'],
    ],
    [
      'a caller with two kinds of credential, and one with none',
      `callers: { a: { provider: p, apiKey: true }, b: { scopes: [x] } }\ncases: [{ name: a, as: a, request: GET /, expect: allow }]\n`,
      [
        '1:12 callers.a: must say where its credential is from: provider: NAME, or apiKey: true',
        '1:46 callers.b: must say where its credential is from: provider: NAME, or apiKey: true',
      ],
    ],
    [
      'what an API key never has',
      `callers: { a: { apiKey: true, roles: [x], claims: { y: 1 }, plane: MACHINE } }\ncases: [{ name: a, as: a, request: GET /, expect: allow }]\n`,
      ['roles', 'claims', 'plane'].map(
        (key, index) =>
          `1:${[38, 51, 68][index]} callers.a.${key}: an API key has none: it is of the MACHINE plane, with scopes only`,
      ),
    ],
    [
      'a caller called nobody',
      `callers: { nobody: { apiKey: true } }\ncases: [{ name: a, as: nobody, request: GET /, expect: allow }]\n`,
      ['1:12 callers.nobody: is who has no credential; choose another name'],
    ],
    [
      'a caller that is not there',
      cases('{ name: a, as: raeder, request: GET /, expect: allow }', '{ name: b, as: someone, request: GET /, expect: allow }'),
      [
        '5:20 cases[0].as: there is no such caller; did you mean reader?',
        '6:20 cases[1].as: there is no such caller; known are reader, job, nobody',
      ],
    ],
    [
      'no request',
      cases('{ name: a, as: job, expect: allow }'),
      ['5:5 cases[0]: must have a request: GET /path, or several under requests:'],
    ],
    [
      'a request that is none',
      cases('{ name: a, as: job, request: /path, expect: allow }', '{ name: a, as: job, request: 7, expect: allow }'),
      [
        '5:34 cases[0].request: must be a request of method and path such as GET /api/v1/accounts/7',
        '6:34 cases[1].request: must be a method and a path such as GET /api/v1/accounts/7, or { method, path, host, headers, address, upgrade }',
      ],
    ],
    [
      'a header on two lines',
      cases('{ name: a, as: job, request: { path: /, headers: { X-A: "a\\r\\nb" } }, expect: allow }'),
      ['5:61 cases[0].request.headers.X-A: must be the value of a header on one line such as en'],
    ],
    [
      'a request that has no path, and a method with a space',
      cases('{ name: a, as: job, request: { method: GET it }, expect: allow }'),
      [
        '5:25 cases[0].request.path: is required: a path such as /api/v1/accounts/7?full=1',
        '5:44 cases[0].request.method: must be a method such as GET',
      ],
    ],
    [
      'no expectation, and one that says too little',
      cases(
        '{ name: a, as: job, request: GET / }',
        '{ name: a, as: job, request: GET /, expect: { route: x } }',
        '{ name: a, as: job, request: GET /, expect: {} }',
      ),
      [
        '5:5 cases[0].expect: is required',
        '6:49 cases[1].expect: must also say decision: allow, or what it is refused with',
        '7:49 cases[2].expect: must also say decision: allow, or what it is refused with',
      ],
    ],
    [
      'a time without an offset',
      cases('{ name: a, as: job, request: GET /, at: 2027-07-01, expect: allow }'),
      ['5:45 cases[0].at: must be a time with its offset such as 2027-07-01T00:00:00Z'],
    ],
    [
      'many at once, whatever else cannot be read',
      cases(
        '{ name: a, as: nobdy, request: GET / }',
        '{ name: b, as: nobdy, request: GET /, expect: allow, exepct: deny }',
        '{ as: x, request: GET /, expect: 7 }',
        '{ name: d, as: raeder, request: GET /, expect: allow }',
      ),
      [
        '5:5 cases[0].expect: is required',
        '6:58 cases[1].exepct: there is no such key; did you mean expect?',
        '7:5 cases[2].name: is required: a name such as readers read',
        '7:38 cases[2].expect: must be allow, deny, a refusal code, or { decision, code, status, reason, route }',
        '8:20 cases[3].as: there is no such caller; did you mean reader?',
      ],
    ],
  ]
  for (const [name, text, expected] of refused) {
    it(`with ${name}`, () => {
      assert.deepEqual(mistakes(text), expected)
    })
  }

  it('that is not there is named', () => {
    const { mistakes } = loadCases(join(folderOf({}), 'none.yaml'))
    assert.deepEqual(
      mistakes.map(({ message }) => message),
      ['there is no such file'],
    )
  })

  it('has a description for every key, in the JSON Schema too', () => {
    const without: string[] = []
    const walk = (schema: JsonSchema, path: string) => {
      for (const [key, child] of Object.entries(schema.properties ?? {})) {
        if (child.description === undefined) without.push(`${path}${key}`)
        walk(child, `${path}${key}.`)
      }
      for (const child of [schema.items, schema.additionalProperties, ...(schema.anyOf ?? [])])
        if (typeof child === 'object') walk(child, path)
    }
    walk(casesJsonSchema(), '')
    assert.deepEqual(without, [])
  })
})
