import { redactCredentials } from '../domain/credential-shape.ts'
import type { Limit } from '../domain/limit.ts'

const LONGEST = 160
const UNITS: readonly [ms: number, name: string][] = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1_000, 's'],
]

/**
 * Text that a client chose, fit to be read on a terminal: what looks like a credential is taken out, it is cut, and characters that
 * steer a terminal or turn the direction of writing are spelled out.
 */
export function shown(text: string): string {
  const safe = redactCredentials(text)
  const cut = safe.length <= LONGEST ? safe : `${safe.slice(0, LONGEST)}…`
  return cut.replace(/[\p{C}\u2028\u2029]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

/** A list of such texts; `none` when it is empty. */
export function listed(names: readonly string[], none = 'none'): string {
  if (names.length === 0) return none
  const most = names.slice(0, 20).map(shown).join(', ')
  return names.length <= 20 ? most : `${most} and ${names.length - 20} more`
}

/** `14 min`: whole units, the largest that fits. */
function span(ms: number): string {
  const [unit, name] = UNITS.find(([size]) => Math.abs(ms) >= size) ?? [1_000, 's']
  return `${Math.floor(Math.abs(ms) / unit)} ${name}`
}

/** A moment and how far it is from now: `2027-06-30T00:00:00Z (in 14 min)`. `at` and `now` in milliseconds since the epoch. */
export function moment(at: number, now: number): string {
  if (!(Math.abs(at) <= 8.64e15)) return 'beyond the calendar'
  const distance = at >= now ? `in ${span(at - now)}` : `${span(now - at)} ago`
  return `${new Date(at).toISOString().replace('.000Z', 'Z')} (${distance})`
}

/** A limit as it is written, and that nothing was taken from it. */
export function uncounted({ name, count, periodMs, burst }: Limit): string {
  const period = UNITS.find(([size]) => size === periodMs)?.[1] ?? `${periodMs} ms`
  return `${name}: not counted here (${count}/${period}, burst ${burst})`
}

export function wherever(items: readonly { readonly source: string }[]): string | null {
  return items.length === 0 ? null : items.map(({ source }) => source).join(', ')
}

/** A path. A credential in it that hides behind escapes is looked for as well; where there is one, nothing of the path is shown. */
export function shownPath(target: string): string {
  let decoded = target
  for (let round = 0; round < 3 && decoded.includes('%'); round += 1) {
    decoded = decoded.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
  }
  return redactCredentials(decoded) === decoded ? shown(target) : '[a path that holds a credential]'
}
