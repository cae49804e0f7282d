/** Where something is. What is not known, or does not apply, is null. */
export interface Place {
  readonly file: string | null
  /** Number of the line in the file, from 1. */
  readonly line: number | null
  /** Number of the line in the log: the one that it has, or the one that belongs there. */
  readonly seq: number | null
  /** Bytes of the (decompressed) file before it. */
  readonly offset: number | null
}

export type FindingCode =
  | 'directory-unreadable'
  | 'log-missing'
  | 'log-beginning'
  | 'log-cut'
  | 'log-diverged'
  | 'log-open'
  | 'log-uncovered'
  | 'file-unknown'
  | 'file-unreadable'
  | 'file-double'
  | 'compressed-unnamed'
  | 'compressed-altered'
  | 'segment-empty'
  | 'segment-name'
  | 'segment-after'
  | 'segment-tree'
  | 'origin-other'
  | 'line-invalid'
  | 'line-missing'
  | 'line-misplaced'
  | 'line-altered'
  | 'torn-unnamed'
  | 'torn-altered'
  | 'torn-missing'
  | 'unsigned-unnamed'
  | 'checkpoints-missing'
  | 'anchors-missing'
  | 'checkpoint-missing'
  | CheckedNote<'checkpoint'>
  | CheckedNote<'anchor'>

/** What can be wrong with a signed note, wherever it is kept. */
export type CheckedNote<Kind extends string> = `${Kind}-${'invalid' | 'unsigned' | 'order' | 'mismatch'}`

/** One thing that does not hold. */
export interface Finding extends Place {
  readonly code: FindingCode
  readonly message: string
}

export const NOWHERE: Place = { file: null, line: null, seq: null, offset: null }

export function inFile(file: string): Place {
  return { ...NOWHERE, file }
}

const MOST = 20
const CAUSES: ReadonlySet<FindingCode> = new Set(['line-invalid', 'line-altered', 'checkpoint-invalid', 'checkpoint-unsigned'])

/** Lines missing at the beginning of a segment are missing at the end of the one before it: there an unreadable end is the cause, and not what follows from it. */
function isCause({ code, line }: Finding): boolean {
  return CAUSES.has(code) || ((code === 'line-missing' || code === 'line-misplaced') && line !== 1)
}

/** What two lines, or a line and a file, say of each other: with one of them altered it says nothing about the other. */
const CONSEQUENCES = /^(?:torn|compressed|log|unsigned)-|^(?:checkpoint-missing|file-double)$/

/** Gathers findings as they are found, and gives them in the order of the log. */
export class Findings {
  readonly #found: { readonly finding: Finding; readonly rank: number }[] = []
  readonly #files: string[] = []

  /** Findings in files that were named here come first, in the order in which they were named. */
  rank(file: string): void {
    this.#files.push(file)
  }

  add(code: FindingCode, place: Place, message: string): void {
    const index = this.#files.indexOf(place.file ?? '')
    const finding = { code, file: place.file, line: place.line, seq: place.seq, offset: place.offset, message }
    this.#found.push({ finding, rank: index === -1 ? this.#files.length : index })
  }

  get count(): number {
    return this.#found.length
  }

  /** Enough was found: whatever follows adds nothing that helps. */
  get full(): boolean {
    return this.#found.length >= MOST
  }

  /** At most 20, in the order of the log; but what may only follow from an altered line or checkpoint comes behind that. */
  inOrder(): Finding[] {
    const altered = this.#found.some(({ finding }) => isCause(finding))
    const late = (code: FindingCode) => (altered && CONSEQUENCES.test(code) ? 1 : 0)
    const offset = (finding: Finding) => finding.offset ?? Number.MAX_SAFE_INTEGER
    const sorted = this.#found.toSorted(
      (a, b) => late(a.finding.code) - late(b.finding.code) || a.rank - b.rank || offset(a.finding) - offset(b.finding),
    )
    return sorted.slice(0, MOST).map(({ finding }) => finding)
  }
}
