import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'

/** What stands at a path is not a file that can be read to its end, or it is too large. The message says what it is, and holds nothing of it. */
export class UnreadableFile extends Error {
  override readonly name = 'UnreadableFile'
}

/**
 * The bytes of a regular file. A pipe without a writer would be waited for for ever, and a device never ends: anything but a file is refused before it is
 * read, and so is a file of more than `most` bytes. Throws `UnreadableFile`, or Node's own error where it cannot be opened.
 */
export function readRegularFile(path: string, most: number): Buffer {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const found = fstatSync(file)
    if (!found.isFile() && !found.isDirectory()) throw new UnreadableFile('is no regular file')
    if (found.size > most) throw new UnreadableFile(`is larger than ${most} bytes`)
    return readFileSync(file)
  } finally {
    closeSync(file)
  }
}
