import { readFileSync } from 'node:fs'
import { UsageError } from './arguments.ts'
import { CommandFailure } from './command-failure.ts'

const STANDARD_INPUT = 0

/**
 * A value of the command line, which other users of the machine can see: `-` stands for standard input and `@file` for a file, from which one line end
 * is taken off. Throws `UsageError` where the option stands for nothing, `CommandFailure` where it cannot be read.
 */
export function givenValue(
  option: string,
  written: string,
  readInput: () => string = () => readFileSync(STANDARD_INPUT, 'utf8'),
): string {
  const value = read(option, written, readInput)
  if (value === '') throw new UsageError(`${option} must not be empty`)
  return value
}

function read(option: string, written: string, readInput: () => string): string {
  if (written !== '-' && !written.startsWith('@')) return written
  const source = written === '-' ? 'standard input' : `the file ${written.slice(1)}`
  try {
    const text = written === '-' ? readInput() : readFileSync(written.slice(1), 'utf8')
    return text.replace(/\r?\n$/, '')
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${error.code})` : ''
    throw new CommandFailure(`${option}: ${source} cannot be read${code}`)
  }
}
