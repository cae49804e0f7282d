import { type FileHandle, open, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { segmentName } from '../format/segments.ts'

/**
 * One file being written. Bytes go to explicit positions and `rewind` goes back to the last synced one, so writing the same bytes again
 * after a failure gives the same file, whatever part of them had arrived. A failed `fdatasync` needs that too: the kernel may have dropped
 * the pages, and only writing them again brings them back.
 */
export class AuditFile {
  readonly name: string
  readonly #directory: string
  readonly #handle: FileHandle
  readonly #inode: number
  #end: number
  #synced: number
  #named = false

  private constructor(directory: string, name: string, handle: FileHandle, inode: number, end: number) {
    this.name = name
    this.#directory = directory
    this.#handle = handle
    this.#inode = inode
    this.#end = end
    this.#synced = end
  }

  /** Makes the segment whose first record is `seq`. Never opens one that exists: after a crash that name may hold a torn line. */
  static async create(directory: string, seq: number): Promise<AuditFile> {
    for (let attempt = 1; ; attempt++) {
      const name = segmentName(seq, attempt)
      try {
        if (!(await exists(join(directory, `${name}.gz`)))) return await AuditFile.#open(directory, name, 'wx', 0)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error
      }
    }
  }

  /** Opens a file, made when it is missing, to go on behind its first `length` bytes, or at its end when it is shorter; what was behind them is cut off. */
  static async goOn(directory: string, name: string, length: number): Promise<AuditFile> {
    // Not opened for appending: Linux would ignore the position of a write.
    if (!(await exists(join(directory, name)))) await (await AuditFile.#open(directory, name, 'wx', 0)).close()
    const { size } = await stat(join(directory, name))
    const file = await AuditFile.#open(directory, name, 'r+', Math.min(size, length))
    await file.#handle.truncate(file.size)
    return file
  }

  static async #open(directory: string, name: string, flags: string, end: number): Promise<AuditFile> {
    const handle = await open(join(directory, name), flags, 0o600)
    const { ino } = await handle.stat()
    return new AuditFile(directory, name, handle, ino, end)
  }

  /** Bytes. */
  get size(): number {
    return this.#end
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
    if (!this.#named) await syncDirectory(this.#directory)
    this.#named = true
    if (!(await this.inPlace()))
      throw new Error(`The audit file ${join(this.#directory, this.name)} was moved, replaced or deleted.`)
    this.#synced = this.#end
  }

  /** The next `append` begins after the last synced byte. */
  rewind(): void {
    this.#end = this.#synced
  }

  /** Whether the name still leads to this file: writing to one that was deleted succeeds and loses everything. */
  async inPlace(): Promise<boolean> {
    try {
      return (await stat(join(this.#directory, this.name))).ino === this.#inode
    } catch {
      return false
    }
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null
}

/** Makes a new file's name as durable as its bytes. */
export async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
