/** What kept a key set from being loaded. Shown to operators as the last error class of a provider. */
export type KeyLoadFailure =
  | 'unreachable'
  | 'timeout'
  | 'status'
  | 'redirected'
  | 'too-large'
  | 'not-json'
  | 'address-refused'
  | 'issuer-mismatch'
  | 'not-a-key-set'
  | 'too-many-keys'
  | 'no-usable-key'
  | 'file-unreadable'
  | 'file-faulty'
  | 'closed'
  | 'unexpected'

/** A key set could not be loaded. The message is for operators and holds no key. */
export class KeyLoadError extends Error {
  override readonly name = 'KeyLoadError'
  readonly failure: KeyLoadFailure
  /** The HTTP status, where the failure is one. */
  readonly status: number | null

  constructor(failure: KeyLoadFailure, options: { message?: string; status?: number; cause?: unknown } = {}) {
    super(options.message ?? failure, options.cause === undefined ? undefined : { cause: options.cause })
    this.failure = failure
    this.status = options.status ?? null
  }
}

/** Any error of a load as a `KeyLoadError`. */
export function asKeyLoadError(error: unknown): KeyLoadError {
  return error instanceof KeyLoadError ? error : new KeyLoadError('unexpected', { cause: error })
}
