import { z } from 'zod'
import type { Path } from './source.ts'

/** What a schema asks for once defaults and transformations are taken off it. */
export function unwrapped(schema: z.core.$ZodType): z.core.$ZodTypes {
  let current = schema as z.core.$ZodTypes
  for (;;) {
    const { def } = current._zod
    if (def.type === 'optional' || def.type === 'prefault' || def.type === 'default') current = def.innerType as z.core.$ZodTypes
    else if (def.type === 'pipe') current = def.in as z.core.$ZodTypes
    else return current
  }
}

/** Keys that an object schema knows; empty for any other. */
export function knownKeys(schema: z.core.$ZodType): string[] {
  const { def } = unwrapped(schema)._zod
  return def.type === 'object' ? Object.keys(def.shape) : []
}

/** The schema that rules the value at `path`, or null. `input` decides between the alternatives of a union. */
export function schemaAt(schema: z.core.$ZodType, path: Path): z.core.$ZodType | null {
  let candidates: z.core.$ZodType[] = [schema]
  for (const step of path) candidates = candidates.flatMap((candidate) => below(candidate, step))
  return candidates[0] ?? null
}

function below(schema: z.core.$ZodType, step: PropertyKey): z.core.$ZodType[] {
  const { def } = unwrapped(schema)._zod
  if (def.type === 'union') return def.options.flatMap((option) => below(option, step))
  if (def.type === 'array') return [def.element]
  if (def.type === 'record') return [def.valueType]
  if (def.type !== 'object' || typeof step !== 'string' || !Object.hasOwn(def.shape, step)) return []
  const child = def.shape[step]
  return child === undefined ? [] : [child]
}

/** Title and example of a value, for `must be a duration such as 30s`. */
export function wording(schema: z.core.$ZodType): { title: string; example: string | null } | null {
  for (let current = schema as z.core.$ZodTypes; ; ) {
    const meta = z.globalRegistry.get(current)
    if (typeof meta?.title === 'string') {
      const [example] = Array.isArray(meta.examples) ? meta.examples : []
      return { title: meta.title, example: typeof example === 'string' ? example : null }
    }
    const { def } = current._zod
    if (def.type === 'optional' || def.type === 'prefault' || def.type === 'default') current = def.innerType as z.core.$ZodTypes
    else if (def.type === 'pipe') current = def.in as z.core.$ZodTypes
    else return null
  }
}
