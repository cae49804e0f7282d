/** What is stored of an API key. Never the key itself. */
export interface ApiKeyRecord {
  /** Public part of the key, 16 characters of base62; appears in logs. */
  readonly id: string
  /** SHA-256 (hex) of the whole key. */
  readonly digest: string
  readonly owner: string
  readonly scopes: readonly string[]
  /** Networks it may be used from, in CIDR notation; empty: any. */
  readonly cidrs: readonly string[]
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** Milliseconds since the epoch; null: no end. */
  readonly expiresAt: number | null
  /** Milliseconds since the epoch; null: not revoked. */
  readonly revokedAt: number | null
  /** The key that took its place, when it was rotated. */
  readonly replacedBy: string | null
}

/** Where API keys are found by id. A change made by another process is seen within 250 ms. */
export interface CredentialStore {
  /** null when there is none. Throws `store-unavailable` when it cannot tell. */
  findApiKey(id: string): ApiKeyRecord | null | Promise<ApiKeyRecord | null>
}

/**
 * What administrators do with API keys. `by` says who, as the audit log names them; the record of a change is kept in one transaction with it.
 */
export interface CredentialRegistry {
  createApiKey(record: ApiKeyRecord, by: string): Promise<void>
  listApiKeys(): Promise<ApiKeyRecord[]>
  /**
   * Makes `replacement` known and ends the old key at `oldExpiresAt` (ms), or at its own end when that is earlier, in one transaction.
   * False when `id` is unknown, revoked or rotated before: of several at once, exactly one wins.
   */
  rotateApiKey(id: string, replacement: ApiKeyRecord, oldExpiresAt: number, by: string): Promise<boolean>
  /** False when there is no such key; true also when it was revoked before, which changes and records nothing. */
  revokeApiKey(id: string, at: number, by: string): Promise<boolean>
}
