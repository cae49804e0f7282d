const TIMESTAMP = /^(\d{4})-(\d{2})-(\d{2})T\d{2}:\d{2}:\d{2}(?:\.\d{1,9})?(?:Z|[+-]\d{2}:\d{2})$/i

/**
 * Milliseconds since the epoch of a date and time with its offset (RFC 3339 section 5.6); null when it is not written so or is not in the calendar. A leap
 * second is refused: the clock that it would be compared with has none.
 */
export function parseTimestamp(written: string): number | null {
  const [, year, month, day] = TIMESTAMP.exec(written) ?? []
  const ms = year === undefined ? Number.NaN : Date.parse(written)
  // Date.parse takes the 30th of February for the 2nd of March.
  const exists = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day))).getUTCDate() === Number(day)
  return Number.isNaN(ms) || !exists ? null : ms
}

/** RFC 3339, UTC, milliseconds; null for null, and for a moment beyond the calendar, which is no end. */
export function timeText(ms: number | null): string | null {
  return ms === null || !(Math.abs(ms) <= 8.64e15) ? null : new Date(ms).toISOString()
}
