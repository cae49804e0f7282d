import type { Check } from './readiness.ts'

/** Milliseconds between two looks at the providers. A look costs nothing while keys are there and fetches back off. */
const INTERVAL = 5_000

/** Runs the named checks of every provider at start and again from time to time, so that readiness recovers without a restart. */
export class ProviderWatch {
  readonly #runs: readonly (() => Promise<readonly Check[]>)[]
  readonly #report: (checks: readonly Check[]) => void
  #latest: readonly Check[] = []
  #timer: NodeJS.Timeout | null = null

  /** `runs`: one for each provider; each must end within 5 s. `report` is called after each look. */
  constructor(runs: readonly (() => Promise<readonly Check[]>)[], report: (checks: readonly Check[]) => void) {
    this.#runs = runs
    this.#report = report
  }

  /** What the newest look found. Empty before the first. */
  get checks(): readonly Check[] {
    return this.#latest
  }

  /** Looks at all providers at once, then goes on looking. */
  async start(): Promise<readonly Check[]> {
    await this.#look()
    this.#timer = setInterval(() => void this.#look(), INTERVAL)
    this.#timer.unref()
    return this.#latest
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
  }

  async #look(): Promise<void> {
    this.#latest = (await Promise.all(this.#runs.map((run) => run()))).flat()
    this.#report(this.#latest)
  }
}
