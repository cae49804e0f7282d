/** What a reason tells the operator. Sentences that end in full stops; names of keys, headers and commands in backquotes. */
export interface Explanation {
  /** What was found, and what that means. */
  readonly means: string
  /** What to do about it: which setting, which command, whom to ask. */
  readonly remedy: string
}

/** Reason to explanation. */
export type Explanations = Readonly<Record<string, Explanation>>

/** One row for each of `names`, for reasons that differ in one word. `row` gives a reason and its explanation from the name and what is said of it. */
export function rowsOf<Name extends string, Said, Reason extends string>(
  names: Readonly<Record<Name, Said>>,
  row: (name: Name, said: Said) => readonly [Reason, Explanation],
): Readonly<Record<Reason, Explanation>> {
  const rows = Object.entries<Said>(names).map(([name, said]) => row(name as Name, said))
  return Object.fromEntries(rows) as Record<Reason, Explanation>
}
