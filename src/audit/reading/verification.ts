import type { KeyObject } from 'node:crypto'
import type { Finding } from './findings.ts'
import type { TornEnd } from './torn-ends.ts'

export interface VerifyOptions {
  readonly directory: string
  /** Ed25519; each may have signed checkpoints. */
  readonly keys: readonly KeyObject[]
  /** A file of checkpoints that was kept elsewhere. */
  readonly anchor: string | null
  /** The log may be being written, or its gateway was killed and has not started since. */
  readonly open: boolean
  /** Number of the first line that is there, when older segments were archived. */
  readonly from: number | null
}

export interface Verification {
  readonly ok: boolean
  readonly origin: string | null
  readonly lines: number
  readonly segments: number
  readonly checkpoints: number
  /** Number of the last line that a checkpoint covers. */
  readonly covered: number
  /** RFC 3339, of the first and the last line. */
  readonly firstTime: string | null
  readonly lastTime: string | null
  /** Ids (hex) of the keys that signed the checkpoints. */
  readonly signers: readonly string[]
  /** Records that the log itself says could not be kept. */
  readonly shed: number
  /** In the order of the log; at most 20. */
  readonly findings: readonly Finding[]
  readonly notes: readonly string[]
  /** Torn ends that a later line names. */
  readonly torn: readonly TornEnd[]
}
