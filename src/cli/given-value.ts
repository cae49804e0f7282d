import { readSync } from 'node:fs'
import { readRegularFile, UnreadableFile } from '../config/regular-file.ts'
import { UsageError } from './arguments.ts'
import { CommandFailure } from './command-failure.ts'

const STANDARD_INPUT = 0
const PIECE = 65_536
/** Bytes of a value: far more than a token or a key has. */
const LONGEST_VALUE = 1024 * 1024

/**
 * A value of the command line, which other users of the machine can see: `-` stands for standard input and `@file` for a file, from which one line end
 * is taken off. Throws `UsageError` where the option stands for nothing or for no file, `CommandFailure` where it cannot be read.
 */
export function givenValue(option: string, written: string, readInput?: () => string): string {
  const value =
    written === '-' || written.startsWith('@')
      ? givenBytes(option, written.replace(/^@/, ''), LONGEST_VALUE, readInput)
          .toString('utf8')
          .replace(/\r?\n$/, '')
      : written
  if (value === '') throw new UsageError(`${option} must not be empty`)
  return value
}

/** What is in a file, or with `-` on standard input, up to `most` bytes. Throws as `givenValue` does. */
export function givenBytes(option: string, file: string, most: number, readInput?: () => string): Buffer {
  const source = file === '-' ? 'standard input' : `the file ${file}`
  try {
    if (file !== '-') return readRegularFile(file, most)
    return readInput === undefined ? standardInput(most) : Buffer.from(readInput())
  } catch (error) {
    if (error instanceof UnreadableFile) throw new UsageError(`${option}: ${source} ${error.message}${file === '-' ? '' : HINT}`)
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new CommandFailure(`${option}: ${source} cannot be read${code}`)
  }
}

const HINT = '; what another program writes can come from standard input, which is -'

function standardInput(most: number): Buffer {
  const pieces: Buffer[] = []
  for (let length = 0; length <= most; ) {
    const piece = Buffer.allocUnsafe(PIECE)
    const read = readSync(STANDARD_INPUT, piece)
    if (read === 0) return Buffer.concat(pieces)
    pieces.push(piece.subarray(0, read))
    length += read
  }
  throw new UnreadableFile(`is larger than ${most} bytes`)
}
