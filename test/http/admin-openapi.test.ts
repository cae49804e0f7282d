import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import Fastify from 'fastify'
import { OPENAPI_FILE, printedOpenApi } from '../../scripts/openapi.ts'
import { adminApi } from '../../src/http/admin-api/admin-api.ts'
import { strictValidation } from '../../src/http/admin-api/formats.ts'
import { REFUSALS } from '../../src/problem/refusals.ts'
import { adminListener } from './admin-listener.ts'

interface Description {
  readonly openapi: string
  readonly paths: Record<string, Record<string, { readonly responses: Record<string, { readonly description: string }> }>>
  readonly components: { readonly schemas: Record<string, unknown> }
}

const described = JSON.parse(printedOpenApi()) as Description
const operations = Object.entries(described.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
)

describe('the description of the admin API', () => {
  it('is what the committed file says', () => {
    assert.equal(readFileSync(join(import.meta.dirname, '..', '..', OPENAPI_FILE), 'utf8'), printedOpenApi())
  })

  it('is served to whoever has the token', async (test) => {
    const { call } = await adminListener(test)
    const served = await call('GET', '/admin/v1/openapi.json')
    assert.deepEqual([served.status, served.json], [200, described])
    assert.match(served.headers.get('content-type') ?? '', /^application\/json/)
  })

  it('names exactly the routes that there are', async (test) => {
    const { api } = await adminListener(test)
    const fastify = Fastify({ ajv: strictValidation(() => true) })
    const routes: string[] = []
    fastify.addHook('onRoute', ({ method, url }) => void routes.push(...[method].flat().map((one) => `${one} ${url}`)))
    await fastify.register((scope) => adminApi(scope, api), { prefix: '/admin/v1' })
    const named = operations.map(({ path, method }) => `${method} ${path.replace(/\{(\w+)\}/g, ':$1')}`)
    assert.deepEqual(routes.filter((route) => !route.startsWith('HEAD')).toSorted(), named.toSorted())
    await fastify.close()
  })

  it('names routes that answer other than 404 and 405, with a status that it knows', async (test) => {
    const { call } = await adminListener(test)
    const { id } = (await call('POST', '/admin/v1/keys', { body: { owner: 'acme' } })).json
    for (const { path, method, operation } of operations) {
      const answer = await call(method, path.replace('{id}', id), method === 'POST' ? { body: {} } : {})
      assert.ok(![404, 405].includes(answer.status), `${method} ${path}: ${answer.status}`)
      assert.ok(String(answer.status) in operation.responses, `${method} ${path}: ${answer.status}`)
    }
  })

  it('refers only to schemas that it has, and names only codes of the refusal table with their status', () => {
    for (const [, name = ''] of printedOpenApi().matchAll(/"#\/components\/schemas\/(\w+)"/g))
      assert.ok(name in described.components.schemas, name)
    for (const { operation } of operations)
      for (const [status, { description }] of Object.entries(operation.responses))
        for (const [, code = ''] of description.matchAll(/`([a-z-]+)`/g))
          assert.equal(REFUSALS[code as keyof typeof REFUSALS].status, Number(status), code)
  })
})
