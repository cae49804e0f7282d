/** What was verified, by the text that was verified. Only ever filled after a success, so strangers cannot fill it. */
export interface VerifiedLately<T> {
  find(text: string): T | undefined
  /** `until`: milliseconds since the epoch; from then on it is forgotten. */
  keep(text: string, value: T, until: number): void
}

/** Holds at most `size` values; the one that was kept first makes room. */
export function verifiedLately<T>(size: number, now: () => number): VerifiedLately<T> {
  const entries = new Map<string, { readonly value: T; readonly until: number }>()
  return {
    find(text) {
      const entry = entries.get(text)
      if (entry === undefined) return undefined
      if (now() < entry.until) return entry.value
      entries.delete(text)
      return undefined
    },
    keep(text, value, until) {
      if (size <= 0) return
      if (entries.size >= size) {
        for (const oldest of entries.keys()) {
          entries.delete(oldest)
          break
        }
      }
      entries.set(text, { value, until })
    },
  }
}
