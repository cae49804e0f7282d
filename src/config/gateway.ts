import type { Limit } from '../domain/limit.ts'
import type { Provider } from '../domain/provider.ts'
import type { Route } from '../domain/route.ts'
import type { Upstream } from '../domain/upstream.ts'

/** Where a secret is found: a variable of the environment, or a file (absolute path). */
export type SecretReference = { readonly env: string } | { readonly file: string }

/** Where the parts of a route are written, as `file:line`. What is not written: where the route begins. */
export interface RouteLines {
  readonly plane: string
  readonly kind: string
  readonly require: string
  readonly expires: string
  readonly cors: string
}

/** A route with what only its readers want to know. */
export interface ConfiguredRoute extends Route {
  /** Why it is so, in the operator's words. */
  readonly reason: string | null
  /** False: `require` is absent and was read as `any`. */
  readonly requirementWritten: boolean
  readonly lines: RouteLines
}

/** The whole configuration, compiled: times in milliseconds, sizes in bytes, paths absolute, nothing left to look up. */
export interface Gateway {
  /** The file it was read from, absolute. */
  readonly file: string
  /** Everything that it was read from: names as messages write them, and the SHA-256 (hex) of each. */
  readonly files: readonly { readonly file: string; readonly digest: string }[]
  readonly environment: 'development' | 'staging' | 'production'
  readonly publicOrigin: string
  readonly server: {
    readonly host: string
    readonly port: number
    /** Addresses and networks in CIDR notation. */
    readonly trustedProxies: readonly string[]
    readonly requestTimeout: number
    readonly maxBodySize: number
    readonly workers: number | 'auto'
  }
  readonly admin: { readonly host: string; readonly port: number; readonly token: SecretReference | null }
  /** Whether a provider that is not ready stops the start; always true in production. */
  readonly strictStartup: boolean
  readonly apiKeyHeader: string
  readonly workerPaths: readonly string[]
  readonly adminPaths: readonly string[]
  /** Where things are written that are not objects of their own, as `file:line`; one for each of the paths. */
  readonly lines: {
    readonly workerPaths: readonly string[]
    readonly adminPaths: readonly string[]
    readonly maxBodySize: string
  }
  readonly identity: {
    readonly header: string
    readonly issuer: string
    readonly ttl: number
    readonly keyFile: string
    readonly previousKeyFiles: readonly string[]
    readonly binding: 'session' | 'request'
    readonly forwardClaims: readonly string[]
    /** Further header names that clients may not send; `*` at the end stands for any ending. */
    readonly reserved: readonly string[]
  }
  readonly revocation: {
    readonly onUnavailable: 'deny' | 'allow'
    readonly maxStaleness: number
    /** How long a revocation is kept, and the longest life of a token that is believed. */
    readonly retention: number
  }
  readonly stores: {
    /** `sqlite:` and an absolute path. */
    readonly database: { readonly url: string; readonly migrate: 'auto' | 'manual' }
    /** Declared, and not used by this version. */
    readonly redis: { readonly url: string | { readonly env: string } } | null
  }
  readonly audit: {
    readonly directory: string
    readonly success: boolean
    readonly limits: boolean
    readonly keyFile: string | null
    readonly previousKeyFiles: readonly string[]
    readonly onUnavailable: 'deny' | 'shed'
    /** `size` in bytes. */
    readonly segment: { readonly size: number; readonly age: number; readonly compressAfter: number }
    readonly checkpoint: { readonly every: number; readonly interval: number }
    readonly anchor: { readonly file: string } | { readonly url: string } | { readonly database: true } | null
    /** Where the key of the pseudonyms is; null: addresses and subjects are written as they are. */
    readonly pseudonymKey: SecretReference | null
  }
  /** Permissions of each role. */
  readonly roles: ReadonlyMap<string, ReadonlySet<string>>
  readonly providerStatusExposure: 'public' | 'admin' | 'off'
  readonly developmentIssuer: boolean
  readonly providers: readonly Provider[]
  readonly limits: readonly Limit[]
  readonly upstreams: readonly Upstream[]
  readonly routes: readonly ConfiguredRoute[]
}
