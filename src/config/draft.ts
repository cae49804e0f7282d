import type { z } from 'zod'
import { valueAt } from './explain.ts'
import { providerSchema } from './provider-schema.ts'
import { type RouteEntry, routeFileSchema, routeSchema } from './route-schema.ts'
import { type GatewayFile, gatewaySchema } from './schema.ts'
import type { Path, Source } from './source.ts'
import { nearest } from './suggestion.ts'

/** What could be read of a map that may hold mistakes: the good keys, and the names of the others. */
export interface Salvaged<T> {
  readonly source: Source
  readonly path: Path
  readonly values: Partial<T>
  /** Keys whose value is wrong, missing or misspelt: nothing follows from their absence. */
  readonly broken: ReadonlySet<string>
}

type Section =
  | 'server'
  | 'identity'
  | 'apiKeys'
  | 'invariants'
  | 'revocation'
  | 'stores'
  | 'audit'
  | 'admin'
  | 'providerStatus'
  | 'development'

/** A route with the defaults of its file. */
export type DraftRoute = Salvaged<RouteEntry> & { readonly inherited: ReadonlySet<'plane' | 'upstream'> }

/**
 * Everything that could be read of a configuration, mistakes or not, so that a rule across files still runs when something
 * else is wrong. A rule must take an absent value for "unknown" unless `broken` says that the key is fine.
 */
export interface Draft {
  readonly source: Source
  readonly top: Salvaged<GatewayFile>
  readonly sections: { readonly [S in Section]: Salvaged<GatewayFile[S]> }
  readonly providers: readonly Salvaged<GatewayFile['providers'][number]>[]
  readonly limits: readonly Salvaged<GatewayFile['limits'][number]>[]
  /** Names under `upstreams` and `roles`, wrong content or not; null: unknown. */
  readonly upstreamNames: ReadonlySet<string> | null
  readonly roleNames: ReadonlySet<string> | null
  /** Names under `limits`; null: unknown, or some limit has no readable name. */
  readonly limitNames: ReadonlySet<string> | null
  readonly routes: readonly DraftRoute[]
  /** Milliseconds since the epoch. */
  readonly now: number
  readonly env: NodeJS.ProcessEnv
}

/** Reads what can be read. */
export function draftOf(gateway: Source, routeFiles: readonly Source[], now: number, env: NodeJS.ProcessEnv): Draft {
  const top = salvage(gatewaySchema, gateway, [])
  const section = <S extends Section>(name: S) => {
    const schema = gatewaySchema.shape[name]
    const object = ('unwrap' in schema ? schema.unwrap() : schema) as z.ZodObject
    return salvage(object, gateway, [name]) as unknown as Salvaged<GatewayFile[S]>
  }
  const limits = entries(gateway, 'limits').map((path) => salvage(gatewaySchema.shape.limits.unwrap().element, gateway, path))
  return {
    source: gateway,
    top,
    sections: {
      server: section('server'),
      identity: section('identity'),
      apiKeys: section('apiKeys'),
      invariants: section('invariants'),
      revocation: section('revocation'),
      stores: section('stores'),
      audit: section('audit'),
      admin: section('admin'),
      providerStatus: section('providerStatus'),
      development: section('development'),
    },
    providers: entries(gateway, 'providers').map((path) => salvage(providerSchema, gateway, path)),
    limits,
    upstreamNames: namesUnder(gateway, 'upstreams'),
    roleNames: namesUnder(gateway, 'roles'),
    limitNames: limitNamesOf(gateway, limits),
    routes: routeFiles.flatMap(draftRoutes),
    now,
    env,
  }
}

/** Reads the keys of a map one by one, so that a wrong one takes no other with it. An absent map counts as an empty one. */
function salvage<S extends z.ZodObject>(schema: S, source: Source, path: Path): Salvaged<z.output<S>> {
  const raw = source.value === undefined ? null : path.length === 0 ? source.value : (valueAt(source.value, path) ?? {})
  const known = Object.keys(schema.shape)
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return { source, path, values: {}, broken: new Set(known) }
  const broken = new Set<string>()
  const values: Record<string, unknown> = {}
  for (const [key, rule] of Object.entries(schema.shape)) {
    const reading = (rule as z.ZodType).safeParse((raw as Record<string, unknown>)[key])
    if (!reading.success) broken.add(key)
    else if (reading.data !== undefined) values[key] = reading.data
  }
  for (const key of Object.keys(raw)) {
    const absent = known.filter((name) => !Object.hasOwn(raw, name))
    const meant = known.includes(key) ? null : nearest(key, absent)
    if (meant !== null) {
      broken.add(meant)
      delete values[meant]
    }
  }
  return { source, path, values: values as Partial<z.output<S>>, broken }
}

function entries(source: Source, key: string): Path[] {
  const list = valueAt(source.value, [key])
  return Array.isArray(list) ? list.map((_, index) => [key, index]) : []
}

function namesUnder(source: Source, key: string): Set<string> | null {
  if (source.value === undefined) return null
  const map = valueAt(source.value, [key]) ?? {}
  return typeof map === 'object' && !Array.isArray(map) ? new Set(Object.keys(map)) : null
}

function limitNamesOf(source: Source, limits: Draft['limits']): Set<string> | null {
  const list = valueAt(source.value, ['limits'])
  if (source.value === undefined || (list !== undefined && !Array.isArray(list))) return null
  const names = limits.map((limit) => limit.values.name)
  return names.every((name) => name !== undefined) ? new Set(names) : null
}

function draftRoutes(source: Source): DraftRoute[] {
  const file = salvage(routeFileSchema, source, [])
  return entries(source, 'routes').map((path) => {
    const own = salvage(routeSchema, source, path)
    const inherited = new Set<'plane' | 'upstream'>()
    const broken = new Set(own.broken)
    const values = { ...own.values }
    for (const key of ['plane', 'upstream'] as const) {
      if (values[key] !== undefined || own.broken.has(key)) continue
      inherited.add(key)
      if (file.broken.has(key)) broken.add(key)
      else if (file.values[key] !== undefined) Object.assign(values, { [key]: file.values[key] })
    }
    return { ...own, values, broken, inherited }
  })
}
