import type { VerbIo } from '../../src/cli/arguments.ts'

/** What a verb writes, kept apart by stream. */
export function recordedIo(): VerbIo & { readonly written: { out: string; err: string } } {
  const written = { out: '', err: '' }
  return {
    written,
    out: (text) => {
      written.out += text
    },
    err: (text) => {
      written.err += text
    },
  }
}
