import { Counter, type Registry } from 'prom-client'

/** Counts of one label combination since the last scrape. */
export interface TallyCell {
  pending: number
}

/** A counter whose cells are plain numbers on the request path: prom-client hashes all labels at each `inc`, this only when it is scraped. */
export interface Tally<Label extends string> {
  /** The cell of one combination, at 0 when new. Look it up once and keep it: every call makes another. */
  cell(labels: Readonly<Record<Label, string>>): TallyCell
}

export function tally<Label extends string>(
  registry: Registry,
  name: string,
  help: string,
  labelNames: readonly Label[],
): Tally<Label> {
  const cells: { readonly labels: Readonly<Record<Label, string>>; readonly cell: TallyCell }[] = []
  const counter: Counter<Label> = new Counter({
    name,
    help,
    labelNames,
    registers: [registry],
    collect() {
      for (const { labels, cell } of cells) {
        counter.inc(labels, cell.pending)
        cell.pending = 0
      }
    },
  })
  return {
    cell(labels) {
      const cell = { pending: 0 }
      cells.push({ labels, cell })
      return cell
    },
  }
}
