import type { Findings, Place } from './findings.ts'

/** A log has one origin: everything that names it must name the same. */
export class Origin {
  readonly #findings: Findings
  #name: string | null = null

  constructor(findings: Findings) {
    this.#findings = findings
  }

  get name(): string | null {
    return this.#name
  }

  /** `here` something names the log; null: it does not. */
  named(origin: string | null, here: Place): void {
    if (origin === null) return
    this.#name ??= origin
    const message = `here the log is called ${JSON.stringify(origin)}, and before ${JSON.stringify(this.#name)}: two logs were mixed`
    if (this.#name !== origin) this.#findings.add('origin-other', here, message)
  }
}
