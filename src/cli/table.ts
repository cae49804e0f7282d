/** A plain text table: columns as wide as their widest cell, two spaces between them; columns without any content are left out. */
export function textTable(headings: readonly string[], rows: readonly (readonly string[])[]): string {
  const used = headings.map((_, column) => column).filter((column) => rows.some((row) => (row[column] ?? '') !== ''))
  const widths = used.map((column) => Math.max(...[headings, ...rows].map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    used
      .map((column, index) => (row[column] ?? '').padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd()
  return `${[headings, ...rows].map(line).join('\n')}\n`
}
