import { candidateOf } from '../composition/candidate.ts'
import { type Finding, formatFinding } from '../config/finding.ts'
import type { Gateway } from '../config/gateway.ts'
import { loadGateway } from '../config/load.ts'
import { parseDuration } from '../domain/duration.ts'
import { parseTimestamp } from '../domain/timestamp.ts'
import type { Candidate } from '../explain/imagined-candidate.ts'
import { replayed } from '../explain/imagined-replay.ts'
import { parseVerbArguments, UsageError, type VerbIo } from './arguments.ts'
import { CommandFailure } from './command-failure.ts'
import { plainText } from './plain-text.ts'
import { logFiles, loggedLines } from './replay-log.ts'
import { assumptions, replayText } from './replay-report.ts'
import { type ReplayReport, ReplayTally } from './replay-tally.ts'

const OPTIONS = {
  config: { type: 'string' },
  was: { type: 'string' },
  since: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/**
 * `replay LOG --config NEW [--was OLD] [--since T] [--json]`: decides every recorded request again by another configuration, and lists what is decided otherwise.
 * Returns 0, or 1 where something is, or where the log or a configuration cannot be read. Throws `UsageError`.
 */
export async function replay(argv: readonly string[], io: VerbIo): Promise<number> {
  const { values, positionals } = parseVerbArguments(argv, OPTIONS, 1)
  const { config, was, since, json } = values
  const [log] = positionals
  if (log === undefined) throw new UsageError('the log is missing, as in planegate replay ./data/audit --config new/gateway.yaml')
  if (config === undefined) throw new UsageError('--config names the configuration to decide by, and is required')
  const from = since === undefined ? Number.NEGATIVE_INFINITY : momentOf(since, Date.now())
  const mistakes: Finding[] = []
  const gateway = gatewayOf(config, mistakes)
  // A rule of then may have expired since.
  const before = was === undefined ? null : gatewayOf(was, mistakes, 0)
  if (gateway === null || mistakes.length > 0) return mistaken(mistakes, json, io)
  try {
    const report = await replayLog(log, from, candidateOf(gateway, before))
    io.out(json ? asJson(report, before !== null) : replayText(report, before !== null))
    return report.different === 0 ? 0 : 1
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error
    if (json) io.out(`${JSON.stringify({ ok: false, mistakes: [], error: error.message })}\n`)
    else io.err(`planegate replay: ${plainText(error.message)}\n`)
    return 1
  }
}

async function replayLog(log: string, from: number, candidate: Candidate): Promise<ReplayReport> {
  const tally = new ReplayTally()
  for (const file of await logFiles(log)) {
    for await (const line of loggedLines(file)) {
      if (line.kind === 'event') tally.event()
      else if (line.kind === 'unreadable') tally.unreadable(line.place)
      else if (line.decision.at < from) tally.earlier()
      else tally.add(line.decision, await replayed(line.decision, candidate))
    }
  }
  const report = tally.report()
  if (report.decisions === 0 && report.earlier === 0)
    throw new CommandFailure(`${log} holds no decision that can be read (lines that cannot be read: ${report.unreadable.count})`)
  return report
}

/** `24h` (so long ago) or a time with its offset, as milliseconds since the epoch. */
function momentOf(written: string, now: number): number {
  const ago = parseDuration(written)
  const moment = ago === null ? parseTimestamp(written) : now - ago
  if (moment === null) throw new UsageError('--since must be a duration such as 24h, or a time such as 2026-01-15T00:00:00Z')
  return moment
}

/** null: there are mistakes, which are added to the others. */
function gatewayOf(file: string, mistakes: Finding[], now = Date.now()): Gateway | null {
  const loaded = loadGateway(file, { now })
  if (loaded.ok) return loaded.gateway
  mistakes.push(...loaded.mistakes)
  return null
}

function mistaken(mistakes: readonly Finding[], json: boolean, io: VerbIo): number {
  if (json) io.out(`${JSON.stringify({ ok: false, mistakes })}\n`)
  else
    io.out(
      `${mistakes.map(formatFinding).map(plainText).join('\n')}\n${mistakes.length} mistake${mistakes.length === 1 ? '' : 's'}\n`,
    )
  return 1
}

function asJson(report: ReplayReport, compared: boolean): string {
  return `${JSON.stringify({ ok: report.different === 0, mistakes: [], ...report, assumed: assumptions(compared) })}\n`
}
