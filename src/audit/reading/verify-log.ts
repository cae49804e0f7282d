import { join } from 'node:path'
import type { Segment } from '../format/segments.ts'
import { ChainCheck } from './chain-check.ts'
import type { CheckpointFeed } from './checkpoint-feed.ts'
import { checkCompressed, checkDouble } from './compressed-check.ts'
import { checkEnd } from './end-check.ts'
import { EventCheck } from './event-check.ts'
import { Findings, inFile } from './findings.ts'
import { type Feeds, feedsOf } from './log-feeds.ts'
import { type LogFiles, logFiles } from './log-files.ts'
import { whereNow } from './log-records.ts'
import type { Origin } from './origin.ts'
import { regularFile } from './regular-file.ts'
import { SegmentCheck } from './segment-check.ts'
import { TornEnds } from './torn-ends.ts'
import { TreeCheck } from './tree-check.ts'
import type { Verification, VerifyOptions } from './verification.ts'

export type { Verification }

/**
 * Verifies a log from nothing but its files and the public keys: one pass, in bounded memory, changing nothing. Whatever is in the directory gives findings and never
 * an error. Says nothing about whether the gateway wrote down what it did; only that what it wrote is still there.
 */
export async function verifyLog(options: VerifyOptions): Promise<Verification> {
  const findings = new Findings()
  // Before the segments: what these checkpoints cover is then in the segments, even while somebody writes.
  const feeds = feedsOf(options, findings)
  const verifier = new LogVerifier(options, findings, feeds, await logFiles(options.directory, options.from, findings))
  try {
    await verifier.run()
  } finally {
    await verifier.close()
  }
  return verifier.result()
}

class LogVerifier {
  readonly #options: VerifyOptions
  readonly #findings: Findings
  readonly #files: LogFiles
  readonly #checkpoints: CheckpointFeed
  readonly #feeds: readonly CheckpointFeed[]
  readonly #origin: Origin
  readonly #tree: TreeCheck
  readonly #chain: ChainCheck
  readonly #torn: TornEnds
  readonly #events: EventCheck
  readonly #segments: SegmentCheck
  readonly #notes: string[] = []

  constructor(options: VerifyOptions, findings: Findings, feeds: Feeds, files: LogFiles) {
    this.#options = options
    this.#findings = findings
    this.#files = files
    this.#checkpoints = feeds.checkpoints
    this.#feeds = feeds.all
    this.#origin = feeds.origin
    this.#tree = new TreeCheck(findings, this.#feeds)
    this.#chain = new ChainCheck(findings)
    const names = new Set(files.segments.map(({ name }) => name))
    this.#torn = new TornEnds(findings, names)
    this.#events = new EventCheck(findings, { tree: this.#tree, torn: this.#torn, origin: this.#origin, segments: names })
    const parts = {
      directory: options.directory,
      findings,
      chain: this.#chain,
      tree: this.#tree,
      torn: this.#torn,
      events: this.#events,
    }
    this.#segments = new SegmentCheck(parts, options.from, files)
  }

  async run(): Promise<void> {
    for (const feed of this.#feeds) await this.#guarded(feed.name, () => feed.advance())
    for (const segment of this.#files.segments) if (!this.#findings.full) await this.#read(segment)
    this.#chain.finish()
    await this.#restOfCheckpoints()
    const allowed = this.#torn.finish(this.#options.open ? this.#segments.newest : new Set())
    for (const { file, bytes } of allowed)
      this.#notes.push(`${file} ends in ${bytes} bytes that are no whole line; the next start names them`)
    await this.#compressed()
    if (this.#findings.full) return
    const { lines } = this.#segments
    checkEnd(this.#options, this.#findings, {
      lines,
      feeds: this.#feeds,
      seq: this.#chain.seq,
      covered: this.#tree.covered,
      last: this.#events.last,
    })
    const uncovered = this.#chain.seq - this.#tree.covered
    if (this.#options.open && uncovered > 0) this.#notes.push(`${uncovered} lines are not covered by a checkpoint yet`)
  }

  async close(): Promise<void> {
    for (const feed of this.#feeds) await feed.close()
  }

  result(): Verification {
    const findings = this.#findings.inOrder()
    return {
      ok: findings.length === 0,
      origin: this.#origin.name,
      lines: this.#segments.lines,
      segments: this.#files.segments.length,
      checkpoints: this.#checkpoints.count,
      covered: this.#tree.covered,
      firstTime: this.#events.firstTime,
      lastTime: this.#events.lastTime,
      signers: [...this.#checkpoints.signers],
      shed: this.#events.shed,
      findings,
      notes: [...this.#segments.notes, ...this.#events.notes, ...this.#notes],
      torn: this.#torn.named,
    }
  }

  async #read(segment: Segment): Promise<void> {
    await this.#guarded(segment.file, async () => {
      try {
        await this.#segments.read(whereNow(this.#options.directory, segment))
      } catch (error) {
        if (!isGone(error)) throw error
        await this.#segments.read(whereNow(this.#options.directory, segment))
      }
    })
  }

  /** What cannot be read is a finding; nothing about the lines in it can be told. */
  async #guarded(file: string, read: () => Promise<void>): Promise<void> {
    try {
      await read()
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown'
      this.#findings.add('file-unreadable', inFile(file), `the file cannot be read to its end (${code})`)
      this.#chain.excuse()
      this.#tree.spoil()
    }
  }

  /** Checkpoints that cover more lines than there are, and those that were written while the lines were read. */
  async #restOfCheckpoints(): Promise<void> {
    for (const feed of this.#feeds) {
      await this.#guarded(feed.name, async () => {
        if (feed.next !== null && this.#segments.lines > 0 && !this.#findings.full) {
          const { checkpoint, place } = feed.next
          const message = `the log was cut: it ends with line ${this.#chain.seq}, and this ${feed.kind} covers ${checkpoint.size} lines`
          this.#findings.add('log-cut', place, message)
        }
        while (feed.next !== null) await feed.advance()
      })
    }
    const { name } = this.#checkpoints
    const wanted = this.#events.missed.length > 0
    await this.#guarded(name, async () => this.#events.finish(await this.#checkpoints.sinceThen(wanted)))
  }

  async #compressed(): Promise<void> {
    const parts = { directory: this.#options.directory, findings: this.#findings, events: this.#events }
    const checks = [
      ...this.#files.segments
        .filter(({ compressed }) => compressed)
        .map((segment) => [segment.file, () => checkCompressed(segment, parts)] as const),
      ...this.#files.doubles.map((file) => [file, () => checkDouble(file, parts)] as const),
    ]
    for (const [file, check] of checks) {
      await this.#guarded(file, async () => {
        if (this.#findings.full || regularFile(join(parts.directory, file)) === null) return
        const note = await check()
        if (note !== null) this.#notes.push(note)
      })
    }
  }
}

/** Compressed under another name between the look at it and its opening: not a byte of it was read. */
function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
