import type { FieldError } from '../../problem/refusal.ts'

/** Most mistakes told at once: a list of wrong things is as long as its sender likes. */
const MOST = 20

/** What Ajv says of one mistake, as far as it is used here. */
export interface SchemaError {
  readonly keyword: string
  readonly instancePath: string
  readonly schemaPath: string
  readonly params: Readonly<Record<string, unknown>>
  readonly schema?: unknown
  readonly parentSchema?: unknown
}

/** Ajv's errors in the words of the schemas. Neither values nor unknown names come back: a credential may have been pasted anywhere. */
export function fieldErrors(errors: readonly SchemaError[]): FieldError[] {
  // What each branch of a choice lacks is said once, by the choice itself.
  const told = errors.filter(({ schemaPath }) => !/\/oneOf\/\d/.test(schemaPath))
  return told.slice(0, MOST).map((error) => ({ path: pathOf(error), message: messageOf(error) }))
}

/** Every object of the schemas names its members, so a path holds no word of the client's. */
function pathOf({ keyword, instancePath, params }: SchemaError): string {
  return keyword === 'required' ? `${instancePath}/${String(params.missingProperty)}` : instancePath
}

function messageOf({ keyword, schema, parentSchema }: SchemaError): string {
  switch (keyword) {
    case 'required':
      return 'is missing'
    case 'additionalProperties':
      return `has a member that is not known here; known are ${names(parentSchema) || 'none'}`
    case 'oneOf':
      return `must have exactly one of ${choices(schema)}`
    case 'not':
      return described(schema)
    default:
      return `must be ${described(parentSchema)}`
  }
}

function described(schema: unknown): string {
  return String((schema as { description?: unknown }).description ?? 'as described')
}

function names(schema: unknown): string {
  return Object.keys((schema as { properties?: object }).properties ?? {}).join(', ')
}

function choices(branches: unknown): string {
  return (branches as readonly { readonly required: readonly string[] }[]).flatMap(({ required }) => required).join(', ')
}
