import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import type { Verification, VerifyOptions } from '../../../src/audit/reading/verification.ts'
import { verifyLog } from '../../../src/audit/reading/verify-log.ts'
import { PUBLIC } from './sample-log.ts'

/** The files of a directory, by name. */
export type Files = ReadonlyMap<string, Buffer>

export function folder(test: TestContext): string {
  const made = mkdtempSync(join(tmpdir(), 'audit-reading-'))
  test.after(() => rmSync(made, { recursive: true, force: true }))
  return made
}

export function filesOf(directory: string): Files {
  return new Map(
    readdirSync(directory)
      .sort()
      .map((name) => [name, readFileSync(join(directory, name))]),
  )
}

export function verify(directory: string, change: Partial<VerifyOptions> = {}): Promise<Verification> {
  return verifyLog({ directory, keys: [PUBLIC], anchor: null, open: false, from: null, ...change })
}

/** A directory that is made to hold one set of files after another. */
export class Scratch {
  readonly directory: string
  #now: Files = new Map()

  constructor(directory: string) {
    this.directory = directory
  }

  hold(files: Files): void {
    for (const name of this.#now.keys()) if (!files.has(name)) rmSync(join(this.directory, name))
    for (const [name, bytes] of files) if (this.#now.get(name) !== bytes) writeFileSync(join(this.directory, name), bytes)
    this.#now = files
  }
}

/** Does something for each item, a few at a time, each time with a directory of its own. */
export async function withScratch<T>(
  test: TestContext,
  items: Iterable<T>,
  act: (item: T, scratch: Scratch) => Promise<void>,
): Promise<void> {
  const rest = items[Symbol.iterator]()
  const worker = async () => {
    const scratch = new Scratch(folder(test))
    for (let next = rest.next(); next.done !== true; next = rest.next()) await act(next.value, scratch)
  }
  await Promise.all([worker(), worker(), worker(), worker()])
}

/** Where each line of a file begins; its last entry is the end of the file. */
export function lineStarts(bytes: Buffer): number[] {
  const starts = [0]
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) starts.push(at + 1)
  return starts.at(-1) === bytes.length ? starts : [...starts, bytes.length]
}
