import type { KeyObject } from 'node:crypto'
import type { AuditAnchor } from '../../ports/audit-anchor.ts'
import type { AuditChain } from '../format/chain.ts'
import { checkpointText, noteDigest } from '../format/checkpoint.ts'
import { toBase64 } from '../format/merkle-tree.ts'
import { type NoteKey, noteKey, signNote } from '../format/signed-note.ts'
import { AnchorKeeper } from './anchor-keeper.ts'
import type { CheckpointFile } from './checkpoint-file.ts'

export interface CheckpointsOptions {
  readonly file: CheckpointFile
  readonly origin: string
  /** The newest checkpoint that is there; null: none. */
  readonly newest: { readonly size: number; readonly digest: string } | null
  readonly privateKey: KeyObject
  /** Lines between two, at most. */
  readonly every: number
  readonly anchor: AuditAnchor | null
  readonly trouble: (error: Error) => void
}

/** When the head of the tree is signed, and where the signature goes. */
export class Checkpoints {
  readonly #options: CheckpointsOptions
  readonly #key: NoteKey
  readonly #anchor: AnchorKeeper | null
  #digest: string | null
  #size: number

  /** Throws when the key cannot sign notes. */
  constructor(options: CheckpointsOptions) {
    this.#options = options
    this.#digest = options.newest?.digest ?? null
    this.#size = options.newest?.size ?? 0
    this.#key = noteKey(options.origin, options.privateKey)
    this.#anchor = options.anchor === null ? null : new AnchorKeeper(options.anchor, options.origin, options.trouble)
  }

  /** Digest of the newest one. */
  get digest(): string | null {
    return this.#digest
  }

  /** Whether a log of so many lines has grown enough. */
  due(size: number): boolean {
    return size - this.#size >= this.#options.every
  }

  /** Signs that the log is empty: its name, from now on. */
  async begin({ tree }: AuditChain): Promise<void> {
    await this.#put(tree, false)
  }

  /** Signs the head, of which every line must be on disk. Gives its size and digest when the checkpoint is on disk too; null when there is nothing new. `last`: the log ends here. */
  async write({ tree, head }: AuditChain, last: boolean): Promise<{ readonly size: number; readonly digest: string } | null> {
    if (head.seq === this.#size) return null
    return this.#put(tree, last)
  }

  async #put(tree: AuditChain['tree'], last: boolean): Promise<{ readonly size: number; readonly digest: string }> {
    const { file, origin, privateKey } = this.#options
    const note = signNote(checkpointText({ origin, size: tree.size, root: toBase64(tree.root()) }), this.#key, privateKey)
    const size = tree.size
    await file.append(note)
    this.#digest = noteDigest(note)
    this.#size = size
    this.#anchor?.offer(note, last)
    return { size, digest: this.#digest }
  }

  async close(): Promise<void> {
    await this.#options.file.close()
    await this.#anchor?.close()
  }
}
