/** One thing that is wrong, or doubtful, in a configuration file. */
export interface Finding {
  /** Relative to the current directory when below it. */
  readonly file: string
  /** Counted from 1. */
  readonly line: number
  /** Counted from 1. */
  readonly column: number
  /** Where in the document: `routes[3].upstream`; `(document)` for the whole of it. */
  readonly path: string
  /** What is wrong and what to write instead. Never holds the value of a secret. */
  readonly message: string
}

/** A setting that is less strict than its default. */
export interface Loosened {
  readonly file: string
  readonly line: number
  readonly column: number
  readonly path: string
  readonly value: string
  /** Why, in the operator's words; null where none has to be given. */
  readonly reason: string | null
}

/** `file:line:col path: message`, which editors and terminals turn into a link. */
export function formatFinding(finding: Finding): string {
  return `${finding.file}:${finding.line}:${finding.column} ${finding.path}: ${finding.message}`
}

/** In the order in which a reader meets them: by file as given, then by place; what several routes inherit is said once. */
export function inReadingOrder(findings: readonly Finding[], files: readonly string[]): Finding[] {
  const rank = new Map(files.map((file, index) => [file, index]))
  const rankOf = (finding: Finding) => rank.get(finding.file) ?? files.length
  const distinct = new Map(findings.map((finding) => [formatFinding(finding), finding]))
  return [...distinct.values()].sort((a, b) => rankOf(a) - rankOf(b) || a.line - b.line || a.column - b.column)
}
