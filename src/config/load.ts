import { existsSync, readdirSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { z } from 'zod'
import { compileGateway, type Read } from './compile.ts'
import { draftOf } from './draft.ts'
import { schemaFindings, valueAt } from './explain.ts'
import { type Finding, inReadingOrder, type Loosened } from './finding.ts'
import type { Gateway } from './gateway.ts'
import { loosenedDefaults } from './loosened.ts'
import { type RouteFile, routeFileSchema } from './route-schema.ts'
import { MISTAKE_RULES, WARNING_RULES } from './rules/all.ts'
import { gatewaySchema } from './schema.ts'
import { displayName, readSource, type Source } from './source.ts'

export type Loaded =
  | {
      readonly ok: true
      readonly gateway: Gateway
      readonly warnings: readonly Finding[]
      readonly loosened: readonly Loosened[]
    }
  | { readonly ok: false; readonly mistakes: readonly Finding[] }

/**
 * Reads gateway.yaml and its route-plane files, and lists every mistake at once. Opens no store, fetches no keys and creates no
 * folder. `now` (ms) decides what has expired; `env` is where `{ env: NAME }` is looked up. Does not throw for anything that a file may hold.
 */
export function loadGateway(file: string, options: { now?: number; env?: NodeJS.ProcessEnv } = {}): Loaded {
  const env = options.env ?? process.env
  const source = readSource(file)
  const folder = routesFolder(source)
  const gateway = readWith(gatewaySchema, source)
  const routeFiles = folder.files.map((path) => readWith(routeFileSchema, readSource(path)))
  const draft = draftOf(
    source,
    routeFiles.map((read) => read.source),
    options.now ?? Date.now(),
    env,
  )

  const files = [source.display, ...routeFiles.map((read) => read.source.display)]
  const mistakes = [...gateway.mistakes, ...folder.mistakes, ...routeFiles.flatMap((read) => read.mistakes)]
  for (const rule of MISTAKE_RULES) mistakes.push(...rule(draft))
  const contents = routeFiles.flatMap((read): Read<RouteFile>[] =>
    read.content === null ? [] : [{ source: read.source, content: read.content }],
  )
  if (mistakes.length > 0 || gateway.content === null) return { ok: false, mistakes: inReadingOrder(mistakes, files) }
  const warnings = [...folder.warnings, ...WARNING_RULES.flatMap((rule) => rule(draft))]
  return {
    ok: true,
    gateway: compileGateway({ source, content: gateway.content }, contents, env),
    warnings: inReadingOrder(warnings, files),
    loosened: loosenedDefaults(source, gateway.content),
  }
}

interface Reading<T> {
  readonly source: Source
  readonly content: T | null
  readonly mistakes: Finding[]
}

function readWith<S extends z.ZodType>(schema: S, source: Source): Reading<z.output<S>> {
  if (source.value === undefined) return { source, content: null, mistakes: [...source.mistakes] }
  const reading = schema.safeParse(source.value)
  const mistakes = reading.success
    ? [...source.mistakes]
    : [...source.mistakes, ...schemaFindings(schema, source, reading.error.issues)]
  return { source, content: reading.success ? reading.data : null, mistakes }
}

interface RoutesFolder {
  readonly files: string[]
  readonly mistakes: Finding[]
  readonly warnings: Finding[]
}

/** The route-plane files, by name. A gateway.yaml that cannot be read still has its routes checked, in their usual place. */
function routesFolder(source: Source): RoutesFolder {
  const written = valueAt(source.value, ['routes']) ?? './routes'
  const folder = source.absolute(typeof written === 'string' && !written.includes('\0') ? written : './routes')
  const none = (message: string): RoutesFolder => {
    const mistakes = source.value === undefined ? [] : [source.finding(['routes'], message)]
    return { files: [], mistakes, warnings: [] }
  }
  if (!existsSync(folder)) return none(`there is no folder ${displayName(folder)}`)
  if (!statSync(folder).isDirectory()) return none(`${displayName(folder)} is not a folder`)
  let names: string[]
  try {
    names = readdirSync(folder)
      .filter((name) => !name.startsWith('.'))
      .sort()
  } catch {
    return none(`${displayName(folder)} may not be read by this user`)
  }
  const files = names.filter((name) => name.endsWith('.yaml')).map((name) => join(resolve(folder), name))
  if (files.length === 0) return none(`${displayName(folder)} holds no *.yaml: without a route every request is refused`)
  const skipped = names.filter((name) => name.endsWith('.yml'))
  const warnings = skipped.map((name) =>
    source.finding(['routes'], `${displayName(join(folder, name))} is not read: only *.yaml is`),
  )
  return { files, mistakes: [], warnings }
}
