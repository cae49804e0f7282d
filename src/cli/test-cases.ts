import { type Cases, loadCases } from '../config/cases.ts'
import type { CaseExpectation } from '../config/cases-schema.ts'
import { type Finding, formatFinding, inReadingOrder } from '../config/finding.ts'
import { loadGateway } from '../config/load.ts'
import type { Outcome } from '../explain/imagined-caller.ts'
import { DEFAULT_CONFIG, parseVerbArguments, UsageError, type VerbIo } from './arguments.ts'
import { caseMistakes } from './case-mistakes.ts'
import { type CasesReport, type FailedCase, runCases } from './case-run.ts'
import { plainText } from './plain-text.ts'

const OPTIONS = {
  config: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/**
 * `test CASES [--config F] [--json]`: decides every request of a table as the gateway would, and compares. Needs no key, no database and no issuer. Returns 0,
 * or 1 where something is decided otherwise than expected, or a file has mistakes. Throws `UsageError`.
 */
export async function testCases(argv: readonly string[], io: VerbIo): Promise<number> {
  const { values, positionals } = parseVerbArguments(argv, OPTIONS, 1)
  const [file] = positionals
  if (file === undefined) throw new UsageError('the table of cases is missing, as in planegate test cases.yaml')
  const cases = loadCases(file)
  const loaded = loadGateway(values.config ?? cases.config ?? DEFAULT_CONFIG)
  const mistakes = loaded.ok
    ? inReadingOrder([...cases.mistakes, ...caseMistakes(cases, loaded.gateway)], [cases.source.display])
    : [...loaded.mistakes, ...cases.mistakes]
  if (!loaded.ok || mistakes.length > 0) {
    io.out(values.json ? asJson(mistakes, NOTHING_RUN) : mistakesText(mistakes))
    return 1
  }
  const report = await runCases(cases, loaded.gateway)
  io.out(values.json ? asJson([], report) : asText(report, cases))
  return report.failed.length === 0 ? 0 : 1
}

const NOTHING_RUN: CasesReport = { requests: 0, cases: 0, failed: [], untouched: [] }

function asJson(mistakes: readonly Finding[], report: CasesReport): string {
  return `${JSON.stringify({ ok: mistakes.length === 0 && report.failed.length === 0, mistakes, ...report })}\n`
}

function mistakesText(mistakes: readonly Finding[]): string {
  return `${mistakes.map(formatFinding).map(plainText).join('\n')}\n${counted(mistakes.length, 'mistake')}\n`
}

function asText({ requests, failed, untouched }: CasesReport, { cases }: Cases): string {
  const lines = failed.map((one) =>
    failureLine(one, cases.find(({ requests }) => requests.some(({ line }) => line === one.line))?.requests.length ?? 1),
  )
  if (untouched.length > 0) {
    const names = untouched.map(({ id, source }) => `  ${id} (${source})`)
    lines.push(`No case comes to ${counted(untouched.length, 'route')}:`, ...names)
  }
  const verdict = failed.length === 0 ? 'all decided as expected' : `${failed.length} decided otherwise`
  lines.push(`${counted(cases.length, 'case')}, ${counted(requests, 'request')}, ${verdict}`)
  return `${lines.map(plainText).join('\n')}\n`
}

/** Of a case with several requests the line says which one. */
function failureLine({ file, line, name, request, expected, got }: FailedCase, requests: number): string {
  const which = requests === 1 ? '' : ` (${request})`
  return `${file}:${line}  ${name}${which}: expected ${expectedText(expected)}, got ${outcomeText(got)}`
}

function expectedText({ decision, code, status, reason, route }: CaseExpectation): string {
  const refusal = [status, code].filter((part) => part !== undefined).join(' ')
  const words = [
    decision ?? '',
    reason === undefined ? refusal : `${refusal} (${reason})`.trim(),
    route === undefined ? '' : `by ${route}`,
  ]
  return words.filter((word) => word !== '').join(' ')
}

function outcomeText({ decision, code, status, reason, route, rule }: Outcome): string {
  const what = decision === 'allow' ? 'allow' : `${status} ${code}`
  const why = reason === null ? '' : ` (${reason})`
  return `${what}${why}${route === null ? '' : `, by ${route} (${rule})`}`
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
