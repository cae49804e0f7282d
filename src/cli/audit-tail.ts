import { LogFollower } from '../audit/reading/log-follower.ts'
import type { LogLine } from '../audit/reading/log-line.ts'
import { newestRecords } from '../audit/reading/log-records.ts'
import { RecordMatcher } from '../audit/reading/record-filter.ts'
import { parseVerbArguments, UsageError, type VerbIo } from './arguments.ts'
import { FILTER_OPTIONS, picked } from './audit-filters.ts'
import { recordLine } from './audit-record-text.ts'
import { jsonLine, reading } from './audit-show.ts'
import { type AuditWorld, unreadableDirectory } from './audit-world.ts'

const OPTIONS = {
  ...FILTER_OPTIONS,
  lines: { type: 'string', short: 'n', default: '10' },
  'no-follow': { type: 'boolean', default: false },
} as const
/** Milliseconds between two looks. */
const POLL = 250
/** One after another: five seconds. */
const MOST_FAILURES = 20

/** `planegate audit tail [--dir DIR | --config F] [-n 10] [--no-follow] [filters] [--json]`: the newest records, then new ones, until it is interrupted. */
export async function auditTail(argv: readonly string[], io: VerbIo, world: AuditWorld): Promise<number> {
  const { values } = parseVerbArguments(argv, OPTIONS)
  if (!/^(?:0|[1-9]\d{0,5})$/.test(values.lines)) throw new UsageError('-n takes a whole number up to 999999')
  const { directory, filter } = picked(values, world, io)
  const matcher = new RecordMatcher(filter)
  const print = (found: LogLine) => io.out(values.json ? jsonLine(found) : recordLine(found.record))
  try {
    const { records, end } = await newestRecords(directory, matcher, Number(values.lines), reading(filter.since, io))
    for (const found of records) print(found)
    if (!values['no-follow']) await follow(new LogFollower(directory, matcher, end), print, world)
    return 0
  } catch (error) {
    throw unreadableDirectory(directory, error)
  }
}

async function follow(follower: LogFollower, print: (found: LogLine) => void, world: AuditWorld): Promise<void> {
  const pause = new Pause()
  world.onStop(() => pause.stop())
  for (let failures = 0; !pause.stopped; await pause.wait(POLL)) {
    try {
      for await (const found of follower.poll()) {
        if (pause.stopped) return
        print(found)
      }
      failures = 0
    } catch (error) {
      // A segment may be moved between the look and the reading of it.
      failures += 1
      if (failures === MOST_FAILURES) throw error
    }
  }
}

/** A wait that ends early when it is stopped. */
class Pause {
  stopped = false
  #end: (() => void) | null = null

  stop(): void {
    this.stopped = true
    this.#end?.()
  }

  async wait(milliseconds: number): Promise<void> {
    if (this.stopped) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#end = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }
}
