/** Longer ends are no note of ours. */
const LONGEST = 4096

/** The lines of a checkpoint's note (latin1), whole and begun. The first is the origin. */
const LINES = [
  { whole: /^(?:0|[1-9][0-9]{0,15})$/, begun: /^[0-9]{0,16}$/ },
  { whole: /^[A-Za-z0-9+/]{43}=$/, begun: /^[A-Za-z0-9+/]{0,43}=?$/ },
  { whole: /^$/, begun: /^$/ },
  { whole: /^\xe2\x80\x94 \S+ [A-Za-z0-9+/]+={0,2}$/, begun: /^(?:\xe2(?:\x80(?:\x94(?: .*)?)?)?)?$/ },
]

/**
 * Whether the end of a file is a note that was cut short when it was written: by a killed process, or by a power cut, which may
 * leave zeros. Anything else was put there by somebody, and is not ours to take away. `origin` null: a note of any log. `first`:
 * no note is before it, hence no empty line.
 */
export function isTornNote(rest: Buffer, origin: string | null, first: boolean): boolean {
  if (rest.length > LONGEST) return false
  const written = rest.toString('latin1').replace(/\0+$/, '')
  if (written === '') return true
  if (!first && !written.startsWith('\n')) return false
  const lines = (first ? written : written.slice(1)).split('\n')
  const begun = lines.pop() ?? ''
  if (lines.length > LINES.length) return false
  const name = origin === null ? null : Buffer.from(origin).toString('latin1')
  const [ofOrigin, ...others] = lines
  if (ofOrigin === undefined) return name === null || name.startsWith(begun)
  if (ofOrigin === '' || (name !== null && ofOrigin !== name)) return false
  const fits = others.every((line, index) => LINES[index]?.whole.test(line))
  return fits && (LINES[others.length]?.begun.test(begun) ?? begun === '')
}
