import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { casesJsonSchema, gatewayJsonSchema, printed, routesJsonSchema } from './json-schema.ts'
import { referencePage } from './reference-page.ts'

/** The files that are generated from the schema, by their path from the root of the project. */
export function generatedFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['config/gateway.schema.json', printed(gatewayJsonSchema())],
    ['config/routes.schema.json', printed(routesJsonSchema())],
    ['config/cases.schema.json', printed(casesJsonSchema())],
    ['docs/configuration.md', referencePage()],
  ])
}

/** Generated files under `root` that differ from what the schema says now. */
export function outdatedFiles(root: string): string[] {
  return [...generatedFiles()].filter(([path, content]) => existing(join(root, path)) !== content).map(([path]) => path)
}

function existing(path: string): string | null {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return null
  }
}

function writeGeneratedFiles(root: string): void {
  for (const [path, content] of generatedFiles()) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
}

if (import.meta.main) {
  const root = resolve(import.meta.dirname, '../..')
  if (!process.argv.includes('--verify')) writeGeneratedFiles(root)
  const outdated = outdatedFiles(root)
  for (const path of outdated) process.stderr.write(`${path} is out of date: run npm run config:docs\n`)
  process.exitCode = outdated.length === 0 ? 0 : 1
}
