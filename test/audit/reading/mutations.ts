import { CHECKPOINTS } from '../../../src/audit/format/segments.ts'
import { noteKey, signNote } from '../../../src/audit/format/signed-note.ts'
import { type Files, lineStarts } from './log-copies.ts'
import { ORIGIN, OTHER_PRIVATE } from './sample-log.ts'

/** A generator of numbers that gives the same ones for the same seed (mulberry32). */
export class Dice {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** From 0 up to but not `sides`. */
  roll(sides: number): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % sides
  }

  pick<T>(items: readonly T[]): T {
    return items[this.roll(items.length)] as T
  }
}

/** Files that were changed, and where the change is to be found: the number of a line of a file, when it is one. */
export interface Mutated {
  readonly files: Files
  readonly file: string | null
  readonly line: number | null
  /** Number that the line has, or had, in the log. */
  readonly seq: number | null
}

type Mutation = (files: Files, dice: Dice) => Mutated

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  'a bit of a segment flipped': (files, dice) => flip(files, dice.pick(plain(files)), dice),
  'a bit of a compressed segment flipped': (files, dice) => flip(files, dice.pick(packed(files)), dice),
  'a bit of the checkpoints flipped': (files, dice) => flip(files, CHECKPOINTS, dice),
  'a line removed': (files, dice) => lines(files, dice, (all, at) => all.toSpliced(at, 1)),
  'a line repeated': (files, dice) => lines(files, dice, (all, at) => all.toSpliced(at, 0, all[at] as Buffer), 1),
  'a line added': (files, dice) => lines(files, dice, (all, at) => all.toSpliced(at, 0, Buffer.from('{"time":"now"}\n'))),
  'random bytes added': (files, dice) =>
    lines(files, dice, (all, at) => all.toSpliced(at, 0, Buffer.from([dice.roll(256), dice.roll(256), 10]))),
  'two lines swapped': (files, dice) => {
    const file = dice.pick(plain(files))
    const all = linesOf(files, file)
    const at = dice.roll(all.length - 1)
    const swapped = [...all.slice(0, at), all[at + 1], all[at], ...all.slice(at + 2)] as Buffer[]
    return { ...changed(files, file, Buffer.concat([...swapped, tornOf(files, file)])), line: at + 1, seq: seqOf(all[at]) }
  },
  'a byte of a line added': (files, dice) =>
    lines(files, dice, (all, at) => all.with(at, Buffer.concat([Buffer.from([dice.roll(256)]), all[at] as Buffer]))),
  'a segment removed': (files, dice) => ({
    files: without(files, dice.pick([...plain(files), ...packed(files)])),
    file: null,
    line: null,
    seq: null,
  }),
  'two segments with swapped names': (files, dice) => {
    const [first, second] = dice
      .pick([
        [0, 1],
        [1, 0],
      ])
      .map((index) => plain(files)[index] as string) as [string, string]
    const swapped = new Map([...files, [first, files.get(second) as Buffer], [second, files.get(first) as Buffer]])
    return { files: swapped, file: null, line: null, seq: null }
  },
  'a segment truncated': (files, dice) => truncate(files, dice.pick(plain(files)), dice),
  'the tail cut off': (files, dice) => truncate(files, plain(files).at(-1) as string, dice),
  'a compressed segment truncated': (files, dice) => truncate(files, dice.pick(packed(files)), dice),
  'bytes behind a compressed segment': (files, dice) => {
    const file = dice.pick(packed(files))
    return changed(files, file, Buffer.concat([files.get(file) as Buffer, Buffer.alloc(1 + dice.roll(9))]))
  },
  'a checkpoint removed': (files, dice) => notes(files, dice, (all, at) => all.toSpliced(at, 1)),
  'a checkpoint repeated': (files, dice) => notes(files, dice, (all, at) => all.toSpliced(at, 0, all[at] as string)),
  'a checkpoint signed by somebody else': (files, dice) =>
    notes(files, dice, (all, at) => all.with(at, forged(all[at] as string))),
  'a checkpoint with a signature of somebody else besides': (files, dice) =>
    notes(files, dice, (all, at) => all.with(at, `${all[at]}${forged(all[at] as string).split('\n\n')[1]}`)),
  'a checkpoint for one line less': (files, dice) =>
    notes(files, dice, (all, at) =>
      all.with(
        at,
        (all[at] as string).replace(/\n(\d+)\n/, (_, size) => `\n${size - 1}\n`),
      ),
    ),
  'two checkpoints swapped': (files, dice) =>
    notes(files, dice, (all) => [...all.slice(0, -2), all.at(-1) as string, all.at(-2) as string]),
  'the checkpoints truncated': (files, dice) => truncate(files, CHECKPOINTS, dice),
  'an empty line behind the checkpoints': (files) =>
    changed(files, CHECKPOINTS, Buffer.concat([files.get(CHECKPOINTS) as Buffer, Buffer.from('\n')])),
  'the checkpoints removed': (files) => ({ files: without(files, CHECKPOINTS), file: null, line: null, seq: null }),
  'a segment added': (files, dice) => {
    const copy = dice.pick(plain(files))
    return {
      files: new Map([...files, [copy.replace('.jsonl', '_7.jsonl'), files.get(copy) as Buffer]]),
      file: null,
      line: null,
      seq: null,
    }
  },
  'a compressed copy added': (files, dice) => {
    const [gz, name] = [packed(files)[0] as string, dice.pick(plain(files))]
    return { files: new Map([...files, [`${name}.gz`, files.get(gz) as Buffer]]), file: null, line: null, seq: null }
  },
}

export function plain(files: Files): string[] {
  return [...files.keys()].filter((name) => name.endsWith('.jsonl'))
}

function packed(files: Files): string[] {
  return [...files.keys()].filter((name) => name.endsWith('.gz'))
}

export function changed(files: Files, file: string, bytes: Buffer): Mutated {
  return { files: new Map([...files, [file, bytes]]), file, line: null, seq: null }
}

function without(files: Files, gone: string): Files {
  return new Map([...files].filter(([name]) => name !== gone))
}

/** The whole lines of a file, newlines included. */
function linesOf(files: Files, file: string): Buffer[] {
  const bytes = files.get(file) as Buffer
  const starts = lineStarts(bytes)
  return starts
    .slice(1)
    .map((end, index) => bytes.subarray(starts[index], end))
    .filter((line) => line.at(-1) === 0x0a)
}

function tornOf(files: Files, file: string): Buffer {
  const bytes = files.get(file) as Buffer
  return bytes.subarray(bytes.lastIndexOf(0x0a) + 1)
}

function seqOf(line: Buffer | undefined): number {
  return Number(/^\{"seq":(\d+)/.exec(line?.toString() ?? '')?.[1])
}

function lines(files: Files, dice: Dice, change: (all: Buffer[], at: number) => Buffer[], later = 0): Mutated {
  const file = dice.pick(plain(files))
  const all = linesOf(files, file)
  const at = dice.roll(all.length)
  const bytes = Buffer.concat([...change(all, at), tornOf(files, file)])
  return { ...changed(files, file, bytes), line: at + 1 + later, seq: seqOf(all[at]) }
}

function notes(files: Files, dice: Dice, change: (all: string[], at: number) => string[]): Mutated {
  const all = (files.get(CHECKPOINTS) as Buffer).toString().split(/(?<=\n)\n(?!\u2014)/u)
  return { ...changed(files, CHECKPOINTS, Buffer.from(change(all, dice.roll(all.length)).join('\n'))), file: null }
}

function forged(note: string): string {
  return signNote(`${note.split('\n\n')[0]}\n`, noteKey(ORIGIN, OTHER_PRIVATE), OTHER_PRIVATE)
}

function flip(files: Files, file: string, dice: Dice): Mutated {
  const bytes = Buffer.from(files.get(file) as Buffer)
  return flipAt(files, file, dice.roll(bytes.length), 1 << dice.roll(8))
}

/** `mask`: the bits of the byte that change. */
export function flipAt(files: Files, file: string, at: number, mask: number): Mutated {
  const before = files.get(file) as Buffer
  const bytes = Buffer.from(before)
  bytes[at] = (bytes[at] as number) ^ mask
  const line = file.endsWith('.jsonl') ? lineStarts(before).findLastIndex((start) => start <= at) + 1 : null
  return { ...changed(files, file, bytes), line }
}

function truncate(files: Files, file: string, dice: Dice): Mutated {
  const bytes = files.get(file) as Buffer
  return { ...changed(files, file, bytes.subarray(0, dice.roll(bytes.length))), file: null }
}
