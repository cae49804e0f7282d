import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'

/** The command line was wrong: one sentence for whoever typed it. Becomes exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** Where a verb writes: `out` is standard output, `err` standard error. What is given is written as it is, line ends included. */
export interface VerbIo {
  out(text: string): void
  err(text: string): void
}

/** Where configuration is read from when `--config` says nothing. */
export const DEFAULT_CONFIG = './config/gateway.yaml'

/**
 * Reads the arguments of a verb. Throws `UsageError` for an unknown option, a missing value, or more than `maxPositionals`
 * arguments without a dash; it never repeats a value, which may be a secret in the wrong place.
 */
export function parseVerbArguments<const T extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: T,
  maxPositionals = 0,
) {
  const parsed = parsedOrUsage(argv, options)
  if (parsed.positionals.length > maxPositionals)
    throw new UsageError(
      `unexpected argument: this verb takes ${maxPositionals === 0 ? 'none' : `at most ${maxPositionals}`} without a dash`,
    )
  return parsed
}

function parsedOrUsage<const T extends ParseArgsOptionsConfig>(argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true })
  } catch (error) {
    // Of Node's words the first sentence, and only where what it quotes looks like the name of an option.
    const [sentence] = /^[^'.]*'--[a-z][a-z-]{0,19}(?: <value>)?'[^'.]*/.exec(error instanceof Error ? error.message : '') ?? []
    throw new UsageError(sentence ?? 'there is an option that is not known')
  }
}
