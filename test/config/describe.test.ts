import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { join, resolve } from 'node:path'
import { describe, it } from 'node:test'
import { generatedFiles, outdatedFiles } from '../../src/config/describe.ts'
import { gatewayJsonSchema, type JsonSchema, routesJsonSchema } from '../../src/config/json-schema.ts'
import { folderOf } from './written-configuration.ts'

const ROOT = resolve(import.meta.dirname, '../..')

describe('generated files', () => {
  it('are up to date', () => {
    assert.deepEqual(outdatedFiles(ROOT), [], 'run npm run config:docs')
    execFileSync(process.execPath, [join(ROOT, 'src/config/describe.ts'), '--verify'])
  })

  it('are named when they differ', () => {
    const files = Object.fromEntries(generatedFiles())
    assert.deepEqual(outdatedFiles(folderOf(files)), [])
    assert.deepEqual(outdatedFiles(folderOf({ ...files, 'docs/configuration.md': 'old' })), ['docs/configuration.md'])
    assert.deepEqual(outdatedFiles(folderOf({})), Object.keys(files))
  })

  it('--verify exits with 1 for a project without them', () => {
    const folder = folderOf({})
    const program = `import { outdatedFiles } from ${JSON.stringify(join(ROOT, 'src/config/describe.ts'))}; process.exitCode = outdatedFiles(${JSON.stringify(folder)}).length === 0 ? 0 : 1`
    assert.equal(spawnSync(process.execPath, ['--input-type=module', '--eval', program]).status, 1)
  })

  it('every key has a meaning', () => {
    const bare: string[] = []
    const walk = (schema: JsonSchema, path: string): void => {
      for (const [key, child] of Object.entries(schema.properties ?? {})) {
        if (child.description === undefined) bare.push(`${path}.${key}`)
        walk(child, `${path}.${key}`)
      }
      for (const option of schema.anyOf ?? []) walk(option, path)
      if (schema.items !== undefined) walk(schema.items, path)
      if (typeof schema.additionalProperties === 'object') walk(schema.additionalProperties, path)
    }
    walk(gatewayJsonSchema(), 'gateway')
    walk(routesJsonSchema(), 'routes')
    assert.deepEqual(bare, [])
  })

  it('the reference page names every key and its default', () => {
    const page = generatedFiles().get('docs/configuration.md') ?? ''
    const squeezed = page.replace(/ +/g, ' ')
    for (const row of [
      '| `identity.ttl` | duration | `60s` |',
      '| `upstreams.NAME.timeouts.connect` | duration | `2s` |',
      '| `environment` | `development`, `staging`, `production` | required |',
      '| `routes[].require.scopes` |',
      '| `providers[].jwks.file` |',
      '| `roles.NAME` | list of scope |',
    ])
      assert.ok(squeezed.includes(row), row)
  })
})
