/** One figure with everything that was measured of it. */
export interface Row {
  readonly name: string
  readonly unit: string
  readonly values: readonly number[]
}

/** The value below which a share (0 to 1) of them lies. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN
}

/** Median, quartiles and extremes, a line each. */
export function table(rows: readonly Row[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length))
  const head = `${''.padEnd(width)}${['median', 'quartiles', '', 'least', 'most'].map((title) => title.padStart(10)).join('')}\n`
  return head + rows.map((row) => line(row, width)).join('')
}

function line({ name, unit, values }: Row, width: number): string {
  const figures = [0.5, 0.25, 0.75, 0, 1].map((share) => quantile(values, share).toFixed(3).padStart(10))
  return `${name.padEnd(width)}${figures.join('')} ${unit}\n`
}
