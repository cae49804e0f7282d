import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { UNREFUSED } from '../src/problem/reasons/administration.ts'
import type { Explanations } from '../src/problem/reasons/explanation.ts'
import { NEVER_GIVEN, REASONS } from '../src/problem/reasons.ts'
import { REFUSALS, type RefusalCode, refusalKind } from '../src/problem/refusals.ts'

/** Where the reasons are listed, from the root of the project. */
export const REASONS_FILE = 'docs/reasons.md'

const INTRO = `# Why a request was refused

Generated from the tables in \`src/problem/reasons/\` by \`node scripts/reasons.ts\`; changes belong there.

A reason stands as \`reason\` in the audit record and in the log line of a refusal, and \`planegate explain\` prints it. The client never sees it: it is told the code, its title and the
request id. The set is closed: a reason that is not on this page cannot be given, and none is made of what a client sent.

How to get from a request id to its reason: [operate.md](operate.md#why-was-this-request-refused).
`

const WITHOUT_REFUSAL = `## Without a refusal

What else a record can say as \`reason\`, where \`code\` is null or beside any code.

`

/** The page as it is written to the file. */
export function reasonsPage(): string {
  const sections = (Object.keys(REFUSALS) as RefusalCode[]).map(section)
  return [INTRO, ...sections, WITHOUT_REFUSAL + table(UNREFUSED)].join('\n')
}

function section(code: RefusalCode): string {
  const { status, title } = refusalKind(code)
  const never = NEVER_GIVEN[code]
  return `## \`${code}\`\n\nStatus ${status}. The client sees: ${title}.\n\n${never === undefined ? table(REASONS[code]) : `${never}\n`}`
}

function table(reasons: Explanations): string {
  const rows = Object.entries(reasons).map(
    ([reason, { means, remedy }]) => `| \`${reason}\` | ${cell(means)} | ${cell(remedy)} |\n`,
  )
  return `| reason | means | what to do |\n| --- | --- | --- |\n${rows.join('')}`
}

/**
 * A text as the cell of a table (GitHub Flavored Markdown, section 4.10): a bar would end the cell, in a code span too; elsewhere what would be markup
 * stands for itself. Backquotes make code spans.
 */
export function cell(text: string): string {
  return text.replace(/`[^`]*`|[\\*_<>[\]|~&#]/g, (found) =>
    found.startsWith('`') ? found.replaceAll('|', '\\|') : `\\${found}`,
  )
}

if (import.meta.main) {
  const file = join(resolve(import.meta.dirname, '..'), REASONS_FILE)
  if (!process.argv.includes('--verify')) writeFileSync(file, reasonsPage())
  if (readFileSync(file, 'utf8') !== reasonsPage()) {
    process.stderr.write(`${REASONS_FILE} is out of date: run node scripts/reasons.ts\n`)
    process.exitCode = 1
  }
}
