import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Route } from '../../../src/domain/route.ts'
import { routeTable } from '../../../src/stores/memory/route-table.ts'
import { route } from '../../support/requests.ts'

const find = (routes: readonly Route[], path: string, host = 'a.example', method = 'GET') =>
  routeTable(routes).find(method, { path, host, query: '' })?.id ?? null
const on = (path: string, overrides: Partial<Route> = {}) => route({ id: `${overrides.id ?? path}`, path, ...overrides })

describe('static segments beat parameters, parameters beat wildcards', () => {
  const routes = [on('/*'), on('/a/:x'), on('/a/b'), on('/a/:x/*'), on('/caf%C3%A9')]
  const expected: [path: string, id: string | null][] = [
    ['/a/b', '/a/b'],
    ['/a/c', '/a/:x'],
    ['/a/c/d', '/a/:x/*'],
    ['/z', '/*'],
    ['/', '/*'],
    ['/caf%C3%A9', '/caf%C3%A9'],
    ['/a/%3Ab', '/a/:x'],
  ]
  for (const [path, id] of expected) test(`${path} is ${id}`, () => assert.equal(find(routes, path), id))
})

describe('hosts', () => {
  const routes = [
    on('/x', { id: 'any' }),
    on('/x', { id: 'wide', hosts: ['*.example.com'] }),
    on('/x', { id: 'narrow', hosts: ['*.int.example.com'] }),
    on('/x', { id: 'exact', hosts: ['a.int.example.com'] }),
  ]
  const expected: [host: string, id: string][] = [
    ['a.int.example.com', 'exact'],
    ['b.int.example.com', 'narrow'],
    ['b.example.com', 'wide'],
    ['example.com', 'any'],
    ['evil-example.com', 'any'],
    ['', 'any'],
  ]
  for (const [host, id] of expected) {
    test(`${host} is ${id}, in whatever order they are declared`, () => {
      assert.equal(find(routes, '/x', host), id)
      assert.equal(find(routes.toReversed(), '/x', host), id)
    })
  }
})

describe('a path that is another spelling of a narrower rule names it as its rival', () => {
  const viewer = { scopes: [], anyScope: [], roles: ['viewer'], permissions: [], actors: [], claims: {} }
  const routes = [
    on('/*', { plane: 'BOTH' }),
    on('/api/secret', { plane: 'HUMAN_ONLY' }),
    on('/p/:id/secret', { plane: 'HUMAN_ONLY' }),
    on('/settings', { kind: 'admin' }),
    on('/roles', { require: viewer }),
    on('/open', { plane: 'PUBLIC' }),
    on('/same', { plane: 'BOTH' }),
  ]
  const table = routeTable(routes)
  const expected: [path: string, route: string, rival: string | null][] = [
    ['/api/secret', '/api/secret', null],
    ['/api/secret/', '/*', '/api/secret'],
    ['/API/secret', '/*', '/api/secret'],
    ['/Api/Secret/', '/*', '/api/secret'],
    ['/p/1/secret/', '/*', '/p/:id/secret'],
    ['/P/1/SECRET', '/*', '/p/:id/secret'],
    ['/Settings', '/*', '/settings'],
    ['/settings/', '/*', '/settings'],
    ['/ROLES', '/*', '/roles'],
    ['/OPEN', '/*', null],
    ['/SAME', '/*', null],
    ['/else', '/*', null],
  ]
  for (const [path, id, rivalId] of expected) {
    test(`${path} is ${id}, rival ${rivalId}`, () => {
      const target = { path, host: 'a.example', query: '' }
      const found = table.find('GET', target)
      assert.equal(found?.id, id)
      assert.equal(found === null ? null : (table.rivalOf(found, 'GET', target)?.id ?? null), rivalId)
    })
  }
  test('a twin in another spelling does not hide the narrower rule', () => {
    const twins = [
      on('/Dup/secret', { plane: 'PUBLIC' }),
      on('/dup/secret', { plane: 'HUMAN_ONLY' }),
      on('/dup/:x', { plane: 'PUBLIC' }),
    ]
    for (const declared of [twins, twins.toReversed()]) {
      const both = routeTable(declared)
      const target = { path: '/dup/SECRET', host: '', query: '' }
      const found = both.find('GET', target)
      assert.equal(found?.id, '/dup/:x')
      assert.equal(found === null ? null : both.rivalOf(found, 'GET', target)?.id, '/dup/secret')
    }
  })
  test('two spellings that are both declared are both served', () => {
    const both = [on('/a', { plane: 'PUBLIC' }), on('/A', { plane: 'HUMAN_ONLY' })]
    assert.deepEqual([find(both, '/a'), find(both, '/A')], ['/a', '/A'])
    const slashed = [on('/a'), on('/a/'), on('/p/:x'), on('/P/:y/')]
    assert.deepEqual(
      [find(slashed, '/a'), find(slashed, '/a/'), find(slashed, '/p/1'), find(slashed, '/P/1/')],
      ['/a', '/a/', '/p/:x', '/P/:y/'],
    )
  })
})

test('methods of a path are those that would be served', () => {
  const table = routeTable([
    on('/a', { methods: ['GET', 'HEAD'] }),
    on('/a', { id: 'post', methods: ['POST'] }),
    on('/b', { methods: ['DELETE'] }),
  ])
  assert.deepEqual(table.methodsFor({ path: '/a', host: '', query: '' }), ['GET', 'HEAD', 'POST'])
  assert.deepEqual(table.methodsFor({ path: '/c', host: '', query: '' }), [])
  assert.equal(table.find('PURGE', { path: '/a', host: '', query: '' }), null)
})
