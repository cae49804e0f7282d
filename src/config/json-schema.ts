import { z } from 'zod'
import { casesSchema } from './cases-schema.ts'
import { routeFileSchema } from './route-schema.ts'
import { gatewaySchema } from './schema.ts'

/** The part of JSON Schema that the definitions use. */
export interface JsonSchema {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly default?: unknown
  readonly examples?: readonly unknown[]
  readonly enum?: readonly unknown[]
  readonly const?: unknown
  readonly minimum?: number
  readonly maximum?: number
  readonly anyOf?: readonly JsonSchema[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
  readonly additionalProperties?: JsonSchema | boolean
}

/** What editors check gateway.yaml against. */
export function gatewayJsonSchema(): JsonSchema {
  return { ...jsonSchemaOf(gatewaySchema), title: 'planegate: gateway.yaml' }
}

/** What editors check a route-plane file against. */
export function routesJsonSchema(): JsonSchema {
  return { ...jsonSchemaOf(routeFileSchema), title: 'planegate: a route-plane file' }
}

/** What editors check a table of cases against. */
export function casesJsonSchema(): JsonSchema {
  return { ...jsonSchemaOf(casesSchema), title: 'planegate: a table of cases' }
}

/** As it stands in a file. */
export function printed(schema: JsonSchema): string {
  return `${JSON.stringify(schema, null, 2)}\n`
}

/** Of what is written, not of what it is read as; the object is plain JSON. */
function jsonSchemaOf(schema: z.ZodType): JsonSchema {
  return JSON.parse(JSON.stringify(z.toJSONSchema(schema, { io: 'input' }))) as JsonSchema
}
