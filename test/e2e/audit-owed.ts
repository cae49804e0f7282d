import assert from 'node:assert/strict'
import type { MadeChange } from './audit-load.ts'
import { type AuditLine, namedTorn, type Torn } from './audit-log.ts'

/** What the lines of a log owe to whoever was answered, and to whoever looks for the cut. */

const keyOfChange = (action: unknown, what: unknown): string => `${String(action)} ${String(what)}`

/** Change ids by what was changed: what was recorded twice, because the process died in between, has one. */
function recordedChanges(lines: readonly AuditLine[]): Map<string, Set<unknown>> {
  const found = new Map<string, Set<unknown>>()
  for (const { event, action, changeId, what } of lines) {
    if (event !== 'change') continue
    const { key, revocation } = what as { key?: string; revocation?: string }
    const name = keyOfChange(action, key ?? revocation)
    found.set(name, (found.get(name) ?? new Set()).add(changeId))
  }
  return found
}

export function missingOf(lines: readonly AuditLine[], changes: readonly MadeChange[]): MadeChange[] {
  const recorded = recordedChanges(lines)
  return changes.filter(({ action, what }) => recorded.get(keyOfChange(action, what)) === undefined)
}

export function assertRecorded(lines: readonly AuditLine[], changes: readonly MadeChange[]): void {
  assert.deepEqual(missingOf(lines, changes), [], 'an answered change is not in the log')
  const recorded = recordedChanges(lines)
  for (const { action, what } of changes) assert.equal(recorded.get(keyOfChange(action, what))?.size, 1, `${action} ${what}`)
}

/** Each start after a kill says so, in its first line after the segment's own; one that was killed before it could is followed by one that does. */
export function assertNamed(lines: readonly AuditLine[], torn: readonly Torn[]): void {
  for (const [index, { event, cause, seq }] of lines.entries()) {
    if (event !== 'segment' || cause !== 'start' || index === 0 || lines[index - 1]?.event === 'closed') continue
    const next = lines[index + 1]
    const named = next?.event === 'recovered' || (next?.event === 'segment' && next.cause === 'start')
    assert.ok(named, `after line ${seq} comes ${JSON.stringify(next)}`)
  }
  const byFile = (list: readonly Torn[]) => list.toSorted((a, b) => (a.file < b.file ? -1 : 1))
  assert.deepEqual(byFile(namedTorn(lines)), byFile(torn))
}
