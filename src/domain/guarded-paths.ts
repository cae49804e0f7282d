/** A set of declared paths (`/workers/*`) that is asked whether it covers a canonical path. */
export interface GuardedPaths {
  covers(path: string): boolean
}

/**
 * Compiles declared worker or admin paths. `/x/*` covers `/x` and everything below; `/x` covers only itself. Compared without regard to
 * case, because some servers behind the gateway match that way and a guard must not be narrower than they are.
 */
export function guardedPaths(patterns: readonly string[]): GuardedPaths {
  const trees: string[] = []
  const exact = new Set<string>()
  for (const pattern of patterns) {
    const lower = pattern.toLowerCase()
    if (lower.endsWith('/*')) trees.push(lower.slice(0, -2))
    else exact.add(withoutTrailingSlash(lower))
  }
  return {
    covers(path) {
      if (trees.length === 0 && exact.size === 0) return false
      const lower = path.toLowerCase()
      if (exact.has(withoutTrailingSlash(lower))) return true
      return trees.some((root) => lower.startsWith(root) && (lower.length === root.length || lower[root.length] === '/'))
    },
  }
}

function withoutTrailingSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path
}
