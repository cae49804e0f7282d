import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs'

/** Its size in bytes, at the end of symbolic links too; null: there is none, or something else that reading may never come back from. */
export function regularFile(path: string): { readonly size: number } | null {
  try {
    const found = statSync(path)
    return found.isFile() ? { size: found.size } : null
  } catch {
    return null
  }
}

/** A file of a log is there and is not what it should be. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
  /** What it is instead, in words: it is shown where errors of the system have a code such as ENOENT. */
  readonly code: string

  constructor(path: string, code: string) {
    super(`${path} cannot be read: ${code}.`)
    this.code = code
  }
}

/**
 * Opens a file for reading; the caller closes the descriptor. Throws what the system says, and `UnreadableFile` for a directory, a device or a pipe: opening a pipe to which
 * nobody writes would wait for ever. Looked at before (opening a device may do something) and after (it may be another one by then).
 */
export function openRegularFile(path: string): number {
  if (!statSync(path).isFile()) throw new UnreadableFile(path, 'it is no regular file')
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  if (fstatSync(descriptor).isFile()) return descriptor
  closeSync(descriptor)
  throw new UnreadableFile(path, 'it is no regular file')
}
