import { type Digest, toBase64 } from './merkle-tree.ts'

/** That a line is in a log: what c2sp.org/tlog-proof writes down. */
export interface LogProof {
  /** The line, without its newline. */
  readonly extra: Buffer
  /** Place of the line, from 0. */
  readonly index: number
  /** From the leaf's sibling up. */
  readonly hashes: readonly Digest[]
  /** A signed note, verbatim. */
  readonly checkpoint: string
}

const FIRST = 'c2sp.org/tlog-proof@v1'
const HASH = /^[A-Za-z0-9+/]{43}=$/

export function proofText({ extra, index, hashes, checkpoint }: LogProof): string {
  const lines = [FIRST, `extra ${extra.toString('base64')}`, `index ${index}`, ...hashes.map(toBase64)]
  return `${lines.join('\n')}\n\n${checkpoint}`
}

/** null when the text is no proof, or one without the line in it. Says nothing about whether it holds. */
export function parseProof(text: string): LogProof | null {
  const end = text.indexOf('\n\n')
  const [first, extra = '', index = '', ...hashes] = text.slice(0, end).split('\n')
  const [, line] = /^extra ([A-Za-z0-9+/]+={0,2})$/.exec(extra) ?? []
  const [, place] = /^index (0|[1-9][0-9]{0,15})$/.exec(index) ?? []
  if (end === -1 || first !== FIRST || line === undefined || place === undefined) return null
  const bytes = [line, ...hashes].map((base64) => Buffer.from(base64, 'base64'))
  // Written in exactly one way, so that no byte can change unseen.
  if (
    !hashes.every((hash) => HASH.test(hash)) ||
    [line, ...hashes].some((base64, at) => bytes[at]?.toString('base64') !== base64)
  )
    return null
  const [leaf = Buffer.alloc(0), ...siblings] = bytes
  return {
    extra: leaf,
    index: Number(place),
    hashes: siblings.map((hash) => hash.toString('latin1')),
    checkpoint: text.slice(end + 2),
  }
}
