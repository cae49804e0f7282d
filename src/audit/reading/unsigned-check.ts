import type { Findings, Place } from './findings.ts'
import { countOf, textOf } from './log-line.ts'

type Fields = Readonly<Record<string, unknown>>

/** Notes of this kind; a log of so many crashes says it by their number. */
const MOST_NOTES = 100
/** Characters. */
const LONGEST_TIME = 40

/**
 * That whatever a gateway found unsigned when it started is named as that. The process before was killed, or somebody wrote the end anew: the log cannot tell which, and the
 * next checkpoint covers those lines like any others.
 */
export class UnsignedCheck {
  readonly #findings: Findings
  /** What no `recovered` line has named yet; `here`: the start. */
  #open: { readonly from: number; readonly to: number; readonly here: Place } | null = null
  readonly #notes: string[] = []
  #more = 0

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** A gateway started with line `here.seq`, when checkpoints covered the first `covered` lines. A start that was killed before it could name them leaves it to the next. */
  started(here: Place, covered: number): void {
    const to = (here.seq ?? 0) - 1
    if (covered >= to) return
    const before = this.#open
    this.#open = { from: Math.min(covered + 1, before?.from ?? to), to, here: before?.here ?? here }
  }

  /** A `recovered` line. */
  recovered(record: Fields, here: Place): void {
    const { from, to } = stretchOf(record)
    if (from === null || to === null || from < 1 || to < from || to >= (here.seq ?? 0)) return
    if (this.#notes.length < MOST_NOTES) this.#notes.push(noteOf(from, to, record))
    else this.#more += 1
    if (this.#open !== null && from <= this.#open.from && to >= this.#open.to) this.#open = null
  }

  /** A checkpoint covers the first `size` lines, in which nothing says so. */
  covered(size: number): void {
    if (this.#open === null || size < this.#open.to) return
    const { from, to, here } = this.#open
    const what = from === to ? `line ${from} was` : `lines ${from} to ${to} were`
    this.#findings.add(
      'unsigned-unnamed',
      here,
      `${what} not signed when the gateway started here, and no line \`recovered\` says so: other lines may have stood there`,
    )
    this.#open = null
  }

  get notes(): string[] {
    return this.#more === 0 ? this.#notes : [...this.#notes, `${this.#more} more starts found lines that were not signed`]
  }
}

function stretchOf({ unsigned }: Fields): { readonly from: number | null; readonly to: number | null } {
  if (typeof unsigned !== 'object' || unsigned === null) return { from: null, to: null }
  return { from: countOf(unsigned as Fields, 'from'), to: countOf(unsigned as Fields, 'to') }
}

function noteOf(from: number, to: number, record: Fields): string {
  const written = textOf(record, 'time') ?? ''
  const time = written.length > LONGEST_TIME ? 'an unknown time' : written
  if (from === to) return `line ${from} was not signed when the gateway started at ${time}: it is as the gateway found it`
  return `lines ${from} to ${to} were not signed when the gateway started at ${time}: they are as the gateway found them`
}
