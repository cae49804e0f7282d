import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { AuditChain, GENESIS } from '../../../src/audit/format/chain.ts'
import { checkpointText, noteDigest } from '../../../src/audit/format/checkpoint.ts'
import { CompactTree, toBase64 } from '../../../src/audit/format/merkle-tree.ts'
import { CHECKPOINTS, segmentName } from '../../../src/audit/format/segments.ts'
import { noteKey, signNote } from '../../../src/audit/format/signed-note.ts'

export const ORIGIN = 'api.example.com/audit/0011223344556677'
export const { publicKey: PUBLIC, privateKey: PRIVATE } = generateKeyPairSync('ed25519')
export const { publicKey: OTHER_PUBLIC, privateKey: OTHER_PRIVATE } = generateKeyPairSync('ed25519')

/** Writes a log step by step, in the form that docs/audit.md describes, without any clock, queue or disk failure of a running writer. */
export class SampleLog {
  readonly directory: string
  readonly chain = new AuditChain(GENESIS, new CompactTree())
  readonly notes: string[] = []
  /** Segments in order. */
  readonly names: string[] = []
  #key: KeyObject = PRIVATE
  /** Lines that checkpoints cover. */
  #signed = 0
  #minutes = 0

  constructor(directory: string) {
    this.directory = directory
    mkdirSync(directory, { recursive: true })
  }

  get seq(): number {
    return this.chain.head.seq
  }

  signWith(key: KeyObject): void {
    this.#key = key
  }

  /** `signed` false: a start of a gateway that has no key. */
  segment(cause: 'start' | 'size' = 'start', attempt = 1, signed = true): string {
    const after = this.names.at(-1) ?? null
    const name = segmentName(this.seq + 1, attempt)
    this.names.push(name)
    const tree = this.chain.tree.roots.map(toBase64)
    const newest = signed ? this.notes.at(-1) : undefined
    this.event('segment', { log: ORIGIN, cause, after, tree, checkpoint: newest === undefined ? null : noteDigest(newest) })
    return name
  }

  event(event: string, fields: object = {}): void {
    this.record({ time: this.#time(), event, ...fields })
  }

  decisions(count: number, fields: object = {}): void {
    for (let made = 0; made < count; made++)
      this.record({ time: this.#time(), requestId: `r-${this.seq + 1}`, decision: 'allow', ...fields })
  }

  record(record: object): void {
    appendFileSync(this.#current(), this.chain.seal(JSON.stringify(record)))
  }

  /** `named`: a line says that it was written. */
  checkpoint(named = true): string {
    const size = this.seq
    const text = checkpointText({ origin: ORIGIN, size, root: toBase64(this.chain.tree.root()) })
    const note = signNote(text, noteKey(ORIGIN, this.#key), this.#key)
    appendFileSync(join(this.directory, CHECKPOINTS), this.notes.length === 0 ? note : `\n${note}`)
    this.notes.push(note)
    this.#signed = size
    if (named) this.event('checkpoint', { size, digest: noteDigest(note) })
    return note
  }

  /** A crash while bytes were on their way. Gives what the next start has to say about them. */
  tear(bytes: string | Buffer): { readonly file: string; readonly bytes: number; readonly digest: string } {
    const torn = Buffer.from(bytes)
    appendFileSync(this.#current(), torn)
    return { file: this.names.at(-1) ?? '', bytes: torn.length, digest: sha256(torn) }
  }

  recovered(
    torn: { readonly file: string | null; readonly bytes: number; readonly digest: string | null },
    ...alsoTorn: readonly object[]
  ): void {
    const fields = { tornFile: torn.file, tornBytes: torn.bytes, tornDigest: torn.digest }
    this.event('recovered', { ...fields, ...(alsoTorn.length > 0 && { alsoTorn }), ...this.unsigned() })
  }

  /** What a start says of the lines before its first one. */
  unsigned(): { readonly unsigned?: { readonly from: number; readonly to: number } } {
    const to = this.seq - 1
    return this.#signed < to ? { unsigned: { from: this.#signed + 1, to } } : {}
  }

  /** Compresses a segment and says so. */
  compress(name: string, content: Buffer): void {
    const packed = gzipSync(content)
    writeFileSync(join(this.directory, `${name}.gz`), packed)
    rmSync(join(this.directory, name))
    this.event('compressed', { file: `${name}.gz`, bytes: packed.length, digest: sha256(packed) })
  }

  close(): void {
    this.event('closed')
    this.checkpoint(false)
  }

  #current(): string {
    return join(this.directory, this.names.at(-1) ?? 'none')
  }

  #time(): string {
    this.#minutes += 1
    return new Date(Date.UTC(2026, 0, 2, 3, this.#minutes)).toISOString()
  }
}

export function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex')
}
