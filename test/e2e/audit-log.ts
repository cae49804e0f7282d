import assert from 'node:assert/strict'
import { createPublicKey, hash, type KeyObject } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { listSegments } from '../../src/audit/format/segments.ts'
import type { Verification } from '../../src/audit/reading/verification.ts'
import { verifyLog } from '../../src/audit/reading/verify-log.ts'

/** One line of a log. */
export interface AuditLine {
  readonly seq: number
  readonly event?: string
  readonly requestId?: string
  readonly [member: string]: unknown
}

/** Bytes at the end of a segment that are no whole line. */
export interface Torn {
  readonly file: string
  readonly bytes: number
  readonly digest: string
}

/** What a test may read of an audit directory while, or after, somebody writes it. Segments that were read to their end are not read again. */
export class AuditDirectory {
  readonly directory: string
  readonly #whole = new Map<string, AuditLine[]>()

  constructor(directory: string) {
    this.directory = directory
  }

  /** Every whole line, oldest first. */
  async lines(): Promise<AuditLine[]> {
    if (!existsSync(this.directory)) return []
    const { segments } = await listSegments(this.directory)
    return segments.flatMap(({ name }, index) => {
      const known = this.#whole.get(name)
      if (known !== undefined) return known
      const lines = this.#text(name)
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as AuditLine)
      // The newest one still grows.
      if (index < segments.length - 1) this.#whole.set(name, lines)
      return lines
    })
  }

  /** It may be compressed between two looks. */
  #text(name: string): string {
    const path = join(this.directory, name)
    try {
      return readFileSync(path, 'utf8')
    } catch {
      return gunzipSync(readFileSync(`${path}.gz`)).toString('utf8')
    }
  }

  async events(event: string): Promise<AuditLine[]> {
    return (await this.lines()).filter((line) => line.event === event)
  }

  /** How the segments end that do not end in a whole line; one without a byte is among them. */
  async tornEnds(): Promise<Torn[]> {
    if (!existsSync(this.directory)) return []
    const { segments } = await listSegments(this.directory)
    return segments
      .filter(({ compressed }) => !compressed)
      .flatMap(({ name }) => {
        const bytes = readFileSync(join(this.directory, name))
        const torn = bytes.subarray(bytes.lastIndexOf(0x0a) + 1)
        return torn.length === 0 && bytes.length > 0 ? [] : [{ file: name, bytes: torn.length, digest: hash('sha256', torn) }]
      })
  }

  /** Verifies the log as `audit verify` does. `open`: nothing is said about its end. */
  verify(keys: readonly KeyObject[], open = false): Promise<Verification> {
    return verifyLog({ directory: this.directory, keys, anchor: null, open, from: null })
  }

  async holds(keys: readonly KeyObject[], open = false): Promise<Verification> {
    const verification = await this.verify(keys, open)
    assert.deepEqual(verification.findings, [], `open: ${open}`)
    return verification
  }
}

/** The public part of a key in a PEM file. */
export function publicKeyOf(file: string): KeyObject {
  return createPublicKey(readFileSync(file))
}

/** Torn ends that `recovered` lines name. */
export function namedTorn(lines: readonly AuditLine[]): Torn[] {
  return lines
    .filter(({ event }) => event === 'recovered')
    .flatMap(({ tornFile, tornBytes, tornDigest, alsoTorn }) => [
      ...(tornFile === null ? [] : [{ file: tornFile, bytes: tornBytes, digest: tornDigest } as Torn]),
      ...((alsoTorn as Torn[] | undefined) ?? []),
    ])
}
