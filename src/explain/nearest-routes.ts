import type { Route } from '../domain/route.ts'

/** One whole segment may differ, or be missing, or be too much. */
const NEAR = 1

/** Routes that may have been meant by a path that has none, the nearest first. For a hint only: nothing is decided by it. */
export function nearestRoutes(path: string, routes: readonly Route[], most = 3): Route[] {
  const wanted = path.split('/').slice(1, 33)
  return routes
    .map((route) => ({ route, far: distance(wanted, route.path.split('/').slice(1)) }))
    .filter(({ far }) => far <= NEAR)
    .sort((a, b) => a.far - b.far || (a.route.path < b.route.path ? -1 : 1))
    .slice(0, most)
    .map(({ route }) => route)
}

/** Edit distance over segments; two segments are as far apart as the share of their letters that differs. `*` stands for whatever is left. */
function distance(path: readonly string[], pattern: readonly string[]): number {
  let last = pattern.map((_, index) => index + 1)
  last.unshift(0)
  for (const [row, segment] of path.entries()) {
    const next = [row + 1]
    for (const [column, expected] of pattern.entries()) {
      const rest = expected === '*' ? Math.min(last[column + 1] ?? 0, last[column] ?? 0) : Number.POSITIVE_INFINITY
      const changed = (last[column] ?? 0) + apart(segment, expected)
      next.push(Math.min(rest, changed, (last[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    last = next
  }
  return last.at(-1) ?? 0
}

function apart(segment: string, expected: string): number {
  if (expected === segment || expected === '*' || (expected.startsWith(':') && segment !== '')) return 0
  const [a, b] = [segment.toLowerCase().slice(0, 64), expected.toLowerCase().slice(0, 64)]
  return a === b ? 0.1 : Math.max(0.2, letters(a, b) / Math.max(a.length, b.length))
}

/** Levenshtein. */
function letters(a: string, b: string): number {
  let last = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let row = 1; row <= a.length; row += 1) {
    const next = [row]
    for (let column = 1; column <= b.length; column += 1) {
      const same = a[row - 1] === b[column - 1] ? 0 : 1
      next.push(Math.min((last[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1, (last[column - 1] ?? 0) + same))
    }
    last = next
  }
  return last[b.length] ?? 0
}
