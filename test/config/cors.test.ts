import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { GATEWAY, load, loaded, messages, routes } from './written-configuration.ts'

const entry = (cors: string, more = 'require: any') => routes(`{ id: r, path: /a, ${more}, cors: ${cors} }`)
const PUBLIC = 'plane: PUBLIC, reason: test'

describe('cors of a route', () => {
  const mistakes: [cors: string, expected: string[], more?: string, gateway?: string][] = [
    ['{}', ['origins: is required']],
    ['{ origins: [] }', ['origins: must not be empty']],
    ['{ origins: [app] }', ['origins[0]: must be an origin such as https://app.example.com']],
    ['{ origins: ["ftp://a.example"] }', ['origins[0]: must be an origin such as https://app.example.com']],
    ['{ origins: ["https://a.example/"] }', ['origins[0]: must be written as browsers send it: https://a.example']],
    ['{ origins: ["https://a.example/x"] }', ['origins[0]: must be written as browsers send it: https://a.example']],
    ['{ origins: ["https://a.example?"] }', ['origins[0]: must be written as browsers send it: https://a.example']],
    ['{ origins: ["https://A.example"] }', ['origins[0]: must be written as browsers send it: https://a.example']],
    ['{ origins: ["https://a.example:443"] }', ['origins[0]: must be written as browsers send it: https://a.example']],
    ['{ origins: ["https://ä.example"] }', ['origins[0]: must be written as browsers send it: https://xn--4ca.example']],
    ['{ origins: ["https://u:hunter2@a.example"] }', ['origins[0]: must not carry credentials']],
    ['{ origins: ["https://*.a.example"] }', ['origins[0]: must name one origin: a wildcard inside it would match nothing']],
    ['{ origins: ["null"] }', ['origins[0]: must not be null: every sandboxed page and local file has that origin']],
    [
      '{ origins: ["http://a.example", "http://127.0.0.1.example.com"] }',
      [
        'origins[0]: plain http: is accepted on loopback only; write https:',
        'origins[1]: plain http: is accepted on loopback only; write https:',
      ],
    ],
    [
      '{ origins: ["http://127.0.0.1:5173"] }',
      ['origins[0]: plain http: is refused in production; write https:'],
      'require: any',
      GATEWAY.replace('environment: development', 'environment: production').replace(
        'http://127.0.0.1:8080',
        'https://a.example',
      ),
    ],
    ['{ origins: ["*"] }', ['origins[0]: * is for PUBLIC routes only, and this one is HUMAN_ONLY; name each origin']],
    [
      '{ origins: ["*"], credentials: true }',
      ['credentials: browsers refuse credentials together with origins: [*]; name each origin'],
      PUBLIC,
    ],
    [
      '{ origins: ["https://a.example", "*"] }',
      ['origins[1]: * already stands for all: write it alone, or name each origin'],
      PUBLIC,
    ],
    ['{ origins: ["https://a.example", "https://a.example"] }', ['origins[1]: https://a.example is named twice']],
    ['{ origins: ["https://a.example"], headers: [X-A, x-a] }', ['headers[1]: x-a is named twice']],
    ['{ origins: ["https://a.example"], methods: [GET, GET] }', ['methods[1]: GET is named twice']],
    [
      '{ origins: ["https://a.example"], methods: [GET, PUT] }',
      ['methods[1]: the route does not answer PUT; its methods are GET, HEAD'],
    ],
    ['{ origins: ["https://a.example"], methods: [] }', ['methods: must not be empty']],
    [
      '{ origins: ["https://a.example"], headers: ["*"] }',
      ['headers[0]: must name one header each: browsers do not take * for Authorization'],
    ],
    ['{ origins: ["https://a.example"], headers: ["a b"] }', ['headers[0]: must be a header name such as Content-Type']],
    [
      '{ origins: ["https://a.example"], headers: [X-User-Id] }',
      ['headers[0]: is removed or rebuilt by the gateway, so allowing it would do nothing'],
    ],
    [
      '{ origins: ["https://a.example"], headers: [cookie] }',
      ['headers[0]: is removed or rebuilt by the gateway, so allowing it would do nothing'],
    ],
    ['{ origins: ["https://a.example"], maxAge: 25h }', ['maxAge: must be at most 24h']],
    ['{ origins: ["https://a.example"], maxAge: 600 }', ['maxAge: must be a duration such as 30s, not a number']],
    ['{ origins: ["https://a.example"], credential: true }', ['credential: there is no such key; did you mean credentials?']],
  ]
  for (const [cors, expected, more, gateway] of mistakes) {
    it(`${cors} → ${expected.join('; ')}`, () => {
      const found = messages(load(gateway ?? GATEWAY, entry(cors, more)))
      assert.deepEqual(
        found,
        expected.map((message) => `routes[0].cors.${message}`),
      )
      assert.doesNotMatch(found.join(), /hunter2/)
    })
  }

  const compiled = (cors: string, more?: string, gateway = GATEWAY) =>
    loaded(load(gateway, entry(cors, more))).gateway.routes[0]?.cors

  it('takes its methods from the route and its headers from what carries a credential', () => {
    const gateway = `${GATEWAY}apiKeys: { header: X-Acme-Key }\n`
    assert.deepEqual(compiled('{ origins: ["https://a.example"] }', 'methods: [GET, PUT], require: any', gateway), {
      origins: ['https://a.example'],
      methods: ['GET', 'HEAD', 'PUT'],
      headers: ['Authorization', 'Content-Type', 'X-Acme-Key'],
      credentials: false,
      maxAge: 600_000,
    })
  })

  it('is as written', () => {
    const written =
      '{ origins: ["http://localhost:3000", "https://xn--4ca.example:8443"], methods: [GET], headers: [], credentials: true, maxAge: 0s }'
    assert.deepEqual(compiled(written, 'methods: [GET, PUT], require: any'), {
      origins: ['http://localhost:3000', 'https://xn--4ca.example:8443'],
      methods: ['GET', 'HEAD'],
      headers: [],
      credentials: true,
      maxAge: 0,
    })
  })

  it('may let in any origin where the route is PUBLIC', () => {
    assert.deepEqual(compiled('{ origins: ["*"] }', PUBLIC)?.origins, ['*'])
  })

  it('is null where nothing is written', () => {
    assert.equal(loaded(load(GATEWAY)).gateway.routes[0]?.cors, null)
  })
})
