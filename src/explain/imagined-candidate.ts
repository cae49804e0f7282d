import type { Inbound } from '../domain/inbound.ts'
import type { Provider } from '../domain/provider.ts'
import type { Route } from '../domain/route.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import type { Judgement } from './imagined-judgement.ts'

/** The configuration that decides again. */
export interface Candidate {
  readonly providers: readonly Provider[]
  readonly apiKeyHeader: string
  /** For records without a host. */
  readonly publicHost: string
  /** Whether some route answers for certain hosts only. */
  readonly asksHosts: boolean
  readonly changes: Changes
  judge(inbound: Inbound, world: Partial<Pipeline>): Promise<Judgement>
  routesAt(host: string, path: string): readonly Route[]
}

/** What is otherwise than when the log was written, beside routes and invariants: where it matters, more than the record would have to be known. */
export interface Changes {
  /** Issuers whose tokens may be verified otherwise; null among them: API keys. */
  readonly issuers: ReadonlySet<string | null>
  /** The header in which API keys came; null: the same as now. */
  readonly formerApiKeyHeader: string | null
  /** API keys are looked up in another database. */
  readonly database: boolean
  /** Other proxies are believed, so that other addresses and hosts may count. */
  readonly proxies: boolean
  /** Smaller bodies are refused. */
  readonly smallerBodies: boolean
}

/** Taken as given where the configuration of then is not at hand. */
export const NO_CHANGES: Changes = {
  issuers: new Set(),
  formerApiKeyHeader: null,
  database: false,
  proxies: false,
  smallerBodies: false,
}
