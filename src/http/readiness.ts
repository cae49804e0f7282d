/** One named condition for serving. */
export interface Check {
  readonly name: string
  /** The provider that it is about; null: the gateway itself. */
  readonly provider: string | null
  readonly ok: boolean
  /** What is wrong, for operators; empty when ok. */
  readonly detail: string
}

/** Gathers what must hold for the gateway to be ready. */
export class Readiness {
  readonly #sources: (() => readonly Check[])[] = []
  #draining = false

  /** Adds checks; asked anew each time, so they must answer from memory. */
  watch(source: () => readonly Check[]): void {
    this.#sources.push(source)
  }

  /** From now on not ready: no new traffic, please. */
  drain(): void {
    this.#draining = true
  }

  checks(): readonly Check[] {
    const draining: Check[] = this.#draining
      ? [{ name: 'draining', provider: null, ok: false, detail: 'the gateway is shutting down' }]
      : []
    return [...draining, ...this.#sources.flatMap((source) => source())]
  }

  get ready(): boolean {
    return this.checks().every((check) => check.ok)
  }
}
