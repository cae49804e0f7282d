/** A backend service, compiled from configuration. */
export interface Upstream {
  readonly name: string
  /** Origins (`http://10.0.0.5:3000`): scheme, host, port; no path. */
  readonly targets: readonly string[]
  /** `aud` of the assertion that it receives. */
  readonly audience: string
  /** Milliseconds: to connect; until the response's head; between two chunks of a body (event streams excepted). */
  readonly timeouts: { readonly connect: number; readonly headers: number; readonly idle: number }
  /** Connections to one target at most. */
  readonly connections: number
}
