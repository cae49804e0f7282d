import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import fc from 'fast-check'
import { parse, stringify } from 'yaml'
import { loadGateway } from '../../src/config/load.ts'
import { folderOf, GATEWAY, loaded, NOW, ROUTES } from './written-configuration.ts'

const ODD: readonly unknown[] = [
  null,
  0,
  -1,
  Number.POSITIVE_INFINITY,
  '',
  'x',
  true,
  [],
  {},
  [null],
  [[]],
  { x: 1 },
  '/',
  '*',
  'http://',
  '{}',
  { env: 1 },
]

/** Every place of a tree, the top excepted. */
function places(tree: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof tree !== 'object' || tree === null) return []
  return Object.entries(tree).flatMap(([key, child]) => [[...at, key], ...places(child, [...at, key])])
}

function replaced(tree: unknown, [step, ...rest]: (string | number)[], value: unknown): unknown {
  if (step === undefined) return value
  const copy = structuredClone(tree) as Record<string | number, unknown>
  copy[step] = replaced(copy[step], rest, value)
  return copy
}

it('an odd value anywhere is a mistake or fine, never an exception, and every mistake has a place', () => {
  const folder = folderOf({ 'gateway.yaml': GATEWAY, 'routes/main.yaml': ROUTES })
  loaded(loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} }))
  const trees = { 'gateway.yaml': parse(GATEWAY), 'routes/main.yaml': parse(ROUTES) } as const
  const spots = Object.entries(trees).flatMap(([file, tree]) =>
    places(tree).map((path) => ({ file: file as keyof typeof trees, path })),
  )
  const changes = fc.array(fc.tuple(fc.constantFrom(...spots), fc.constantFrom(...ODD)), { minLength: 1, maxLength: 2 })
  fc.assert(
    fc.property(changes, (mutations) => {
      for (const [file, tree] of Object.entries(trees)) {
        let changed: unknown = tree
        for (const [spot, value] of mutations) {
          if (spot.file === file && places(changed).some((path) => path.join() === spot.path.join()))
            changed = replaced(changed, spot.path, value)
        }
        writeFileSync(join(folder, file), stringify(changed))
      }
      const result = loadGateway(join(folder, 'gateway.yaml'), { now: NOW, env: {} })
      if (result.ok) return
      assert.ok(result.mistakes.length > 0)
      for (const { line, column, path, message } of result.mistakes) {
        assert.ok(line >= 1 && column >= 1 && path !== '', message)
        assert.doesNotMatch(message, /undefined|Invalid input|\[object/)
      }
    }),
    { numRuns: 300 },
  )
})
