import type { Finding } from '../config/finding.ts'
import type { Path, Source } from '../config/source.ts'
import { nearest } from '../config/suggestion.ts'

/** A name of `what` that nothing has, and which one may have been meant. */
export function unknownName(source: Source, path: Path, what: string, name: string, known: readonly string[]): Finding {
  const meant = nearest(name, known)
  const hint =
    meant !== null ? `did you mean ${meant}?` : known.length <= 12 ? `known are ${known.join(', ')}` : 'see `planegate check`'
  return source.finding(path, `there is no such ${what}; ${hint}`)
}
