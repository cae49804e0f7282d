import type { Started } from '../lab/bench.ts'
import type { Issuer } from './tokens.ts'

/** One proxy in front of the upstream, in a process of its own. */
export interface Contestant {
  readonly name: string
  /** Where it listens. */
  readonly url: string
  readonly process: Started
  /** Whose tokens it verifies; null: it lets everything through. */
  readonly issuer: Issuer | null
  /** What it tells the upstream about the caller; `nothing`: the request goes on as it came. */
  readonly identity: 'assertion' | 'subject' | 'nothing'
}
