import type { Spread } from './statistics.ts'

/** What a figure is held against. */
export interface Target {
  readonly kind: 'below' | 'at most' | 'at least'
  readonly value: number
  /** What would be better still. */
  readonly aim?: number
}

/** Rows under their headings, columns as wide as they must be; the first to the left, all others to the right. */
export function table(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = headings.map((heading, column) => Math.max(3, heading.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (column === 0 ? (cells[column] ?? '').padEnd(width) : (cells[column] ?? '').padStart(width))).join(' | ')} |`
  const rule = widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`))
  return [line(headings), line(rule), ...rows.map(line)].join('\n')
}

/** Median and, in brackets, the smallest and the largest. */
export function spreadText({ median, min, max }: Spread, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}..${max.toFixed(digits)})`
}

export function targetText({ kind, value, aim }: Target): string {
  return `${kind} ${value}${aim === undefined ? '' : `, aim ${aim}`}`
}

/** The median decides. What is not a number has missed. */
export function verdict(median: number, { kind, value }: Target): 'ok' | 'missed' {
  const met = kind === 'below' ? median < value : kind === 'at most' ? median <= value : median >= value
  return met ? 'ok' : 'missed'
}
