import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * One log file being written. Bytes go to explicit positions and `rewind` goes back to the last synced one, so writing the same bytes again
 * after a failure gives the same file, whatever part of them had arrived. A failed `fdatasync` needs that too: the kernel may have dropped
 * the pages, and only writing them again brings them back.
 */
export class AuditFile {
  readonly #directory: string
  readonly #path: string
  readonly #handle: FileHandle
  readonly #inode: number
  #end = 0
  #synced = 0

  private constructor(directory: string, path: string, handle: FileHandle, inode: number) {
    this.#directory = directory
    this.#path = path
    this.#handle = handle
    this.#inode = inode
  }

  /** Makes the file whose first record is `seq`. Never opens one that exists: after a crash that name may hold a torn line. */
  static async create(directory: string, seq: number): Promise<AuditFile> {
    const stem = join(directory, `audit-${String(seq).padStart(12, '0')}`)
    for (let attempt = 1; ; attempt++) {
      const path = attempt === 1 ? `${stem}.jsonl` : `${stem}_${attempt}.jsonl`
      try {
        const handle = await open(path, 'wx', 0o600)
        const { ino } = await handle.stat()
        return new AuditFile(directory, path, handle, ino)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
    }
  }

  async append(bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.#end)
      done += bytesWritten
      this.#end += bytesWritten
    }
  }

  /** Forces everything appended to the disk; throws also when the file is no longer where its name says. */
  async sync(): Promise<void> {
    await this.#handle.datasync()
    if (this.#synced === 0) await syncDirectory(this.#directory)
    if (!(await this.inPlace())) throw new Error(`The audit file ${this.#path} was moved, replaced or deleted.`)
    this.#synced = this.#end
  }

  /** The next `append` begins after the last synced byte. */
  rewind(): void {
    this.#end = this.#synced
  }

  /** Whether the name still leads to this file: writing to one that was deleted succeeds and loses everything. */
  async inPlace(): Promise<boolean> {
    try {
      return (await stat(this.#path)).ino === this.#inode
    } catch {
      return false
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Makes a new file's name as durable as its bytes. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
