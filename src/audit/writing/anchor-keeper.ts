import type { AuditAnchor } from '../../ports/audit-anchor.ts'

/** Milliseconds until a failed attempt is made again, with whatever checkpoint is the newest then. */
const RETRY = 10_000
/** Milliseconds that a stop waits for the last checkpoint to be kept. */
const LAST_WAIT = 5_000

/** Brings checkpoints to the anchor, one at a time; while it is slow or away only the newest waits. The log never waits for it. */
export class AnchorKeeper {
  readonly #anchor: AuditAnchor
  readonly #origin: string
  readonly #trouble: (error: Error) => void
  #waiting: { readonly note: string; readonly last: boolean } | null = null
  #running: Promise<void> | null = null
  #failing = false
  #retry: NodeJS.Timeout | null = null

  constructor(anchor: AuditAnchor, origin: string, trouble: (error: Error) => void) {
    this.#anchor = anchor
    this.#origin = origin
    this.#trouble = trouble
  }

  /** `last`: the log ends with it. */
  offer(note: string, last: boolean): void {
    this.#waiting = { note, last }
    if (this.#retry === null) this.#running ??= this.#run()
  }

  /** Waits for the newest checkpoint to be kept, but not long. */
  async close(): Promise<void> {
    if (this.#retry !== null) clearTimeout(this.#retry)
    this.#retry = null
    if (this.#waiting !== null) this.#running ??= this.#run()
    let timer: NodeJS.Timeout | undefined
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_WAIT)
    })
    await Promise.race([this.#running, patience])
    clearTimeout(timer)
    if (this.#retry !== null) clearTimeout(this.#retry)
  }

  async #run(): Promise<void> {
    for (let offered = this.#waiting; offered !== null; offered = this.#waiting) {
      this.#waiting = null
      try {
        await this.#anchor.put(offered.note, this.#origin, offered.last)
        this.#failing = false
      } catch (error) {
        this.#waiting ??= offered
        if (!this.#failing) this.#trouble(new Error(`A checkpoint could not be kept in ${this.#anchor.place}.`, { cause: error }))
        this.#failing = true
        this.#retry = setTimeout(() => {
          this.#retry = null
          this.#running ??= this.#run()
        }, RETRY).unref()
        break
      }
    }
    this.#running = null
  }
}
