import type { Explanation } from '../explain/explanation.ts'
import type { Row } from '../explain/row.ts'
import type { Step } from '../explain/step.ts'
import { textTable } from './table.ts'

const VERDICTS: Readonly<Record<Step['verdict'], string>> = { passed: 'passed', refused: 'REFUSED', 'not-reached': 'not reached' }
const WIDTH = 120
const CALLERS: readonly (readonly [keyof Row, string])[] = [
  ['human', 'human JWT'],
  ['machineJwt', 'machine JWT'],
  ['apiKey', 'API key'],
  ['nobody', 'nobody'],
]

/** An explanation for people: one block a step, then the decision, then what others would get. */
export function explanationText(explanation: Explanation): string {
  const steps = explanation.steps.map((step, index) => stepText(step, index + 1)).join('')
  const notes = explanation.notes.map((note) => wrapped(`Note: ${note}`, 0)).join('')
  return [steps, decisionText(explanation), rowText(explanation), notes].filter((part) => part !== '').join('\n')
}

function stepText({ stage, verdict, input, says, rule }: Step, number: number): string {
  const head = `${String(number).padStart(2)}  ${stage.padEnd(20)}  ${VERDICTS[verdict]}${rule === null ? '' : `  [${rule}]`}\n`
  return head + (input === null ? '' : wrapped(input, 4)) + (says === null ? '' : wrapped(`> ${says}`, 4))
}

function decisionText({ decision, code, status, reason, means, remedy, rule, headers }: Explanation): string {
  const by = rule === null ? '' : `, by ${rule}`
  const why = reason === null ? '' : ` (${reason})`
  const lines = [decision === 'allow' ? `allowed${why}${by}\n` : `refused: ${status} ${code}${why}${by}\n`]
  if (means !== null) lines.push(wrapped(`means: ${means}`, 4))
  if (remedy !== null) lines.push(wrapped(`to do: ${remedy}`, 4))
  for (const [name, value] of Object.entries(headers)) {
    for (const one of [value].flat()) lines.push(`    the client gets ${name}: ${one}\n`)
  }
  return lines.join('')
}

function rowText({ row }: Explanation): string {
  const title = 'The same method and path, for whoever has everything that the rule asks for:\n'
  return (
    title +
    textTable(
      CALLERS.map(([, name]) => name),
      [CALLERS.map(([kind]) => row[kind])],
    )
  )
}

/** Breaks at spaces; a word that is longer stays whole, so that it can be copied. */
function wrapped(text: string, indent: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && indent + line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = `  ${word}`
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((each) => `${' '.repeat(indent)}${each}\n`).join('')
}
