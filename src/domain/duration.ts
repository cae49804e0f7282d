/** How a duration is written: a whole number and its unit. */
export const DURATION = /^(\d{1,9})(ms|s|m|h|d)$/
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `250ms`, `30s`, `5m`, `24h` or `7d`; null when it is not written so. */
export function parseDuration(written: string): number | null {
  const [, count, unit] = DURATION.exec(written) ?? []
  const factor = unit === undefined ? undefined : UNITS[unit]
  return count === undefined || factor === undefined ? null : Number(count) * factor
}
