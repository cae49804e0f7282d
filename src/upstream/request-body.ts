import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'

/** Is told how a request body comes along. */
export interface BodyObserver {
  bodyProgressed(): void
  bodyTooLarge(): void
}

/**
 * A client's body on its way to the upstream, counted. It stands before the request because whoever sends a body destroys it when the answer
 * comes early, and destroying the request would cut the connection that the answer goes out on. What then is left of the body is read and
 * dropped, so that the connection serves the next request.
 */
export class RequestBody extends Readable {
  readonly #source: IncomingMessage
  readonly #observer: BodyObserver
  #left: number

  /** `limit`: bytes. */
  constructor(source: IncomingMessage, limit: number, observer: BodyObserver) {
    super()
    this.#source = source
    this.#observer = observer
    this.#left = limit
    source.pause()
    source.on('data', (chunk: Buffer) => this.#take(chunk))
    source.on('end', () => this.push(null))
    // The sender hears of an error as long as it listens; afterwards nobody would, and an unheard error ends the process.
    this.on('error', () => {})
  }

  /** Whether everything received has been handed on, so that it is the client who must go on. */
  get waitsForClient(): boolean {
    return !this.#source.complete && this.readableLength === 0 && !this.isPaused()
  }

  override _read(): void {
    this.#source.resume()
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#source.resume()
    done(error)
  }

  #take(chunk: Buffer): void {
    this.#left -= chunk.length
    if (this.#left < 0) this.#overflow()
    else if (!this.destroyed) {
      this.#observer.bodyProgressed()
      if (!this.push(chunk)) this.#source.pause()
    }
  }

  /** Dropping has the same limit; beyond it the client waits until it gives up or its time is over. */
  #overflow(): void {
    if (this.destroyed) {
      this.#source.pause()
      return
    }
    // The refusal closes the connection after a bounded time; until then the rest is dropped, so that the client gets to read it.
    this.#left = Number.POSITIVE_INFINITY
    this.#observer.bodyTooLarge()
  }
}
