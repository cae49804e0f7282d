import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { openApiDocument } from '../src/http/admin-api/openapi.ts'

/** Where the description of the admin API is kept, from the root of the project. */
export const OPENAPI_FILE = 'docs/admin-openapi.json'

/** The description as it is written to the file. */
export function printedOpenApi(): string {
  return `${JSON.stringify(openApiDocument(), null, 2)}\n`
}

if (import.meta.main) {
  const file = join(resolve(import.meta.dirname, '..'), OPENAPI_FILE)
  if (!process.argv.includes('--verify')) writeFileSync(file, printedOpenApi())
  if (readFileSync(file, 'utf8') !== printedOpenApi()) {
    process.stderr.write(`${OPENAPI_FILE} is out of date: run node scripts/openapi.ts\n`)
    process.exitCode = 1
  }
}
