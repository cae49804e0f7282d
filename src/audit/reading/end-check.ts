import type { CheckpointFeed } from './checkpoint-feed.ts'
import { type Findings, inFile, NOWHERE } from './findings.ts'
import { lockHolder } from './lock-holder.ts'
import type { VerifyOptions } from './verification.ts'

/** How far a log was read, and how it ends. */
interface End {
  /** Lines that were read. */
  readonly lines: number
  /** Number of the last line, and of the last one that is covered. */
  readonly seq: number
  readonly covered: number
  /** `event` of the last line. */
  readonly last: string | null
  readonly feeds: readonly CheckpointFeed[]
}

/** That something vouches for the log, up to its end; and, when it is not open, that this end is the end of an orderly stop. */
export function checkEnd(
  { open, directory }: VerifyOptions,
  findings: Findings,
  { lines, seq, covered, last, feeds }: End,
): void {
  if (lines === 0) {
    findings.add('log-missing', NOWHERE, 'there is no line of a log in the directory')
    return
  }
  for (const { kind, name } of feeds.filter(({ count }) => count === 0)) {
    const message = `there is no ${kind} that one of the given keys signed${kind === 'checkpoint' ? ': nothing vouches for the log' : ''}`
    findings.add(`${kind}s-missing`, inFile(name), message)
  }
  if (open) return
  const uncovered = `lines ${covered + 1} to ${seq} are not covered by a checkpoint: the final one is missing`
  if (last !== 'closed') findings.add('log-open', { ...NOWHERE, seq }, openSentence(seq, lockHolder(directory)))
  else if (seq > covered && findings.count === 0) findings.add('log-uncovered', { ...NOWHERE, seq: covered + 1 }, uncovered)
}

function openSentence(seq: number, holder: string | null): string {
  const end = `the log ends with line ${seq}, which is not \`closed\``
  if (holder !== null) return `${end}: process ${holder} is writing it; --open verifies it as far as it is covered`
  return `${end}: its end was cut off, or its gateway was killed. The next start seals it; until then --open verifies it as far as it is covered`
}
