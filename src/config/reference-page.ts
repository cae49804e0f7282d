import { gatewayJsonSchema, type JsonSchema, routesJsonSchema } from './json-schema.ts'

const INTRODUCTION = `# Configuration

Generated from the definition in \`src/config/\` by \`npm run config:docs\`; changes belong there.

A gateway is configured by one \`gateway.yaml\` and a folder of route-plane files. Unknown keys are errors. Paths are relative to the file
they stand in. \`planegate check\` lists every mistake at once, with its place, and shows which route is open to whom.
`

const VALUES = [
  ['value', 'written'],
  ['duration', '`250ms`, `30s`, `5m`, `24h`, `7d`'],
  ['size', '`512B`, `10KiB`, `1MiB`, `1GiB`'],
  ['rate', '`10/s`, `600/min`, `1000/h`, `5000/d`'],
  ['secret reference', '`{ env: NAME }` or `{ file: PATH }`; a secret is never written inline'],
  ['date', '`2027-06-30`: through the end of that day in UTC'],
]

/** The reference page: every key with its type, default and meaning. */
export function referencePage(): string {
  const routes = routesJsonSchema()
  const parts = [
    INTRODUCTION,
    padded(VALUES),
    '## gateway.yaml\n',
    table(rowsOf(scalars(gatewayJsonSchema()), '')),
    ...sections(gatewayJsonSchema()),
    '## A route-plane file\n',
    'Every `*.yaml` in the routes folder. `plane` and `upstream` at the top hold for the routes that name none of their own.\n',
    table(rowsOf(scalars(routes), '')),
    ...sections(routes),
  ]
  return `${parts.join('\n').trimEnd()}\n`
}

interface Row {
  readonly key: string
  readonly type: string
  readonly initial: string
  readonly meaning: string
}

/** Keys of the top that hold one value. */
function scalars(schema: JsonSchema): JsonSchema {
  const plain = Object.entries(schema.properties ?? {}).filter(([, child]) => inner(child) === null)
  return { ...schema, properties: Object.fromEntries(plain) }
}

/** One heading with a table for each key of the top that holds keys of its own. */
function sections(schema: JsonSchema): string[] {
  return Object.entries(schema.properties ?? {}).flatMap(([key, child]) => {
    const below = inner(child)
    if (below === null) return []
    const required = schema.required?.includes(key) ? ' Required.' : ''
    return [`### ${key}\n`, `${child.description ?? ''}${required}\n`, table(rowsOf(below.schema, `${key}${below.step}.`))]
  })
}

interface Below {
  readonly schema: JsonSchema
  readonly step: string
}

/** The keyed part of a value: of itself, of its entries, or of the values under its names. */
function inner(schema: JsonSchema): Below | null {
  if (schema.title !== undefined) return null
  if (schema.properties !== undefined) return { schema, step: '' }
  if (schema.items?.properties !== undefined) return { schema: schema.items, step: '[]' }
  const values = schema.additionalProperties
  if (typeof values === 'object' && values.type !== undefined) return { schema: values, step: '.NAME' }
  const keyed = schema.anyOf?.filter((option) => option.properties !== undefined) ?? []
  if (keyed.length === 0) return null
  const required = keyed.length === 1 ? (keyed[0]?.required ?? []) : []
  return { schema: { properties: Object.assign({}, ...keyed.map((option) => option.properties)), required }, step: '' }
}

function rowsOf(schema: JsonSchema, prefix: string): Row[] {
  if (schema.properties === undefined) {
    return [{ key: prefix.slice(0, -1), type: typeOf(schema), initial: '', meaning: schema.description ?? '' }]
  }
  return Object.entries(schema.properties).flatMap(([key, child]) => {
    const name = `${prefix}${key}`
    const deeper = inner(child)
    const initial = schema.required?.includes(key) ? 'required' : initialOf(child)
    const row = { key: name, type: typeOf(child), initial, meaning: child.description ?? '' }
    return deeper === null ? [row] : [row, ...rowsOf(deeper.schema, `${name}${deeper.step}.`)]
  })
}

function initialOf(schema: JsonSchema): string {
  if (schema.default === undefined) return ''
  const written = typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default)
  return written === '{}' ? '' : `\`${written}\``
}

const TYPES: Readonly<Record<string, string>> = { string: 'text', integer: 'number', boolean: '`true`, `false`', object: 'map' }

function typeOf(schema: JsonSchema): string {
  if (schema.title !== undefined) return schema.title.replace(/^(an?|the) /, '')
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${String(value)}\``).join(', ')
  if (schema.const !== undefined) return `\`${String(schema.const)}\``
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' or ')
  if (schema.type === 'array') return schema.items === undefined ? 'list' : `list of ${listed(schema.items)}`
  if (schema.properties !== undefined) return keysOf(schema)
  return TYPES[schema.type ?? ''] ?? 'any value'
}

function listed(items: JsonSchema): string {
  return items.properties === undefined ? typeOf(items) : 'maps'
}

function keysOf(schema: JsonSchema): string {
  const keys = Object.keys(schema.properties ?? {})
  return keys.length <= 3 ? `\`{ ${keys.join(', ')} }\`` : 'map'
}

/** Columns padded to their widest cell, so that the page also reads well as text. */
function table(rows: readonly Row[]): string {
  const escaped = (value: string) => value.replaceAll('|', '\\|')
  const cells = rows.map(({ key, type, initial, meaning }) => [
    `\`${escaped(key)}\``,
    escaped(type),
    escaped(initial),
    escaped(meaning),
  ])
  return padded([['key', 'type', 'default', 'meaning'], ...cells])
}

function padded(rows: readonly (readonly string[])[]): string {
  const [headings = [], ...rest] = rows
  const widths = headings.map((_, column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |\n`
  return [line(headings), line(widths.map((width) => '-'.repeat(width))), ...rest.map(line)].join('')
}
