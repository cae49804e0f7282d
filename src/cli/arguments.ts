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
 * arguments without a dash.
 */
export function parseVerbArguments<const T extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: T,
  maxPositionals = 0,
) {
  const parsed = parsedOrUsage(argv, options)
  const [surplus] = parsed.positionals.slice(maxPositionals)
  if (surplus !== undefined) throw new UsageError(`unexpected argument: ${surplus}`)
  return parsed
}

function parsedOrUsage<const T extends ParseArgsOptionsConfig>(argv: readonly string[], options: T) {
  try {
    return parseArgs({ args: [...argv], options, strict: true, allowPositionals: true })
  } catch (error) {
    throw new UsageError(error instanceof Error ? (error.message.split('. ')[0] ?? error.message) : 'wrong arguments')
  }
}
