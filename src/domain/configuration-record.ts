/** The audit record of a start: what decides from now on. Holds no secret. */
export interface ConfigurationRecord {
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string
  /** Who started it: `start root@host`. */
  readonly by: string
  /** Of planegate. */
  readonly version: string
  readonly environment: string
  /** Each file with its SHA-256, as `sha256sum` writes it. */
  readonly files: readonly string[]
}
