const inspect = Symbol.for('nodejs.util.inspect.custom')

/** Text that must not travel: logging, serialising or printing it shows only that it was there. */
export class Secret {
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** The text itself. Call it only where it is compared, hashed or verified; never where something is written. */
  reveal(): string {
    return this.#text
  }

  toString(): string {
    return '[secret]'
  }

  toJSON(): string {
    return '[secret]'
  }

  [inspect](): string {
    return '[secret]'
  }
}
