/** A set of declared paths (`/workers/*`) that is asked whether it covers a canonical path. */
export interface GuardedPaths {
  covers(path: string): boolean
}

/**
 * Compiles declared worker or admin paths. `/x/*` covers `/x` and everything below; `/x` covers only itself. Compared without regard to case,
 * Unicode form, and spaces or dots at the end of a segment, because some servers behind the gateway match that way and a guard must not be narrower
 * than they are.
 */
export function guardedPaths(patterns: readonly string[]): GuardedPaths {
  const trees: string[] = []
  const exact = new Set<string>()
  for (const pattern of patterns) {
    const folded = foldPath(pattern)
    if (folded.endsWith('/*')) trees.push(folded.slice(0, -2))
    else exact.add(withoutTrailingSlash(folded))
  }
  return {
    covers(path) {
      if (trees.length === 0 && exact.size === 0) return false
      const folded = foldPath(path)
      if (exact.has(withoutTrailingSlash(folded))) return true
      return trees.some((root) => folded.startsWith(root) && (folded.length === root.length || folded[root.length] === '/'))
    },
  }
}

/** One spelling for all that some server may take for the same path. Upper and then lower case, so that `ı`, `ſ` and the Kelvin sign fold too. */
function foldPath(path: string): string {
  if (!path.includes('%')) return withoutLooseEnds(path.toLowerCase())
  return withoutLooseEnds(decodeURIComponent(path).normalize('NFKC').toUpperCase().toLowerCase().normalize('NFKC'))
}

/** Windows drops spaces and dots at the end of a name. */
function withoutLooseEnds(path: string): string {
  return /[\s.](?:\/|$)/.test(path) ? path.replace(/[\s.]+(?=\/|$)/g, '') : path
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
