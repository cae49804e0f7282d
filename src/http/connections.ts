import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Malformation } from '../domain/inbound.ts'
import type { Adjudication } from '../pipeline/adjudicate.ts'

/** Milliseconds that a connection without a request stays open when the gateway stops: one may be on its way. */
const LAST_CALL = 1_000

/** A request that a connection is still answering. */
export interface Pending {
  readonly response: ServerResponse
  adjudication: Adjudication | null
  /** What the parser found in it before it was judged; null: nothing. */
  malformed: Malformation | null
}

/**
 * Which connections are open, and which of them are in the middle of an answer. An upgrade or a parse error on such a connection must not write into
 * that answer: this is how one pipelined upgrade took the process down elsewhere (CVE-2026-130647).
 */
export class Connections {
  readonly #open = new Set<Duplex>()
  readonly #pending = new WeakMap<Duplex, Pending[]>()
  readonly #broken = new WeakSet<Duplex>()
  readonly #expecting = new WeakSet<IncomingMessage>()
  #draining = false

  get draining(): boolean {
    return this.#draining
  }

  /** A client connected. */
  opened(socket: Duplex): void {
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
  }

  /** The connection is no longer HTTP; how it ends is another's concern. */
  upgraded(socket: Duplex): void {
    this.#open.delete(socket)
  }

  /**
   * Every connection ends once its last answer is written, and says so in the answer's head where that is still to come; left alone, those that
   * clients keep would hold a stop for as long as they like. A request that comes meanwhile on a connection that is open is served.
   */
  drain(): void {
    this.#draining = true
    for (const socket of this.#open) {
      const newest = this.#pending.get(socket)?.at(-1)
      if (newest !== undefined) newest.response.shouldKeepAlive = false
    }
    setTimeout(() => {
      for (const socket of this.#open) if (this.owed(socket) === undefined) socket.destroy()
    }, LAST_CALL).unref()
  }

  /** A request's head was read. Call it before anything else sees the request. */
  began(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const pending = this.#pending.get(socket)
    const entry: Pending = { response, adjudication: null, malformed: null }
    if (this.#draining) endsWith(response, pending?.at(-1)?.response)
    if (pending === undefined) this.#pending.set(socket, [entry])
    else pending.push(entry)
    response.once('close', () => {
      const now = this.#pending.get(socket)
      const index = now?.indexOf(entry) ?? -1
      if (index >= 0) now?.splice(index, 1)
      if (this.#draining && now?.length === 0) socket.destroySoon()
    })
  }

  /** The request of this response was judged. Gives what the parser has found in it meanwhile. */
  judged(socket: Duplex, response: ServerResponse, adjudication: Adjudication): Malformation | null {
    const entry = this.#pending.get(socket)?.find((pending) => pending.response === response)
    if (entry === undefined) return null
    entry.adjudication = adjudication
    return entry.malformed
  }

  /** The parser gave up on what this connection sends. False when it had done so before. */
  broke(socket: Duplex): boolean {
    const first = !this.#broken.has(socket)
    this.#broken.add(socket)
    return first
  }

  /** The request of which only a part has come. It is the newest one, if any: before it is whole, no other begins. */
  incomplete(socket: Duplex): Pending | undefined {
    const newest = this.#pending.get(socket)?.at(-1)
    return newest === undefined || newest.response.req.complete ? undefined : newest
  }

  /** Waits until every answer that the connection owes is written. */
  async settled(socket: Duplex): Promise<void> {
    const newest = this.#pending.get(socket)?.at(-1)
    if (newest !== undefined) await new Promise<void>((written) => newest.response.once('close', () => written()))
  }

  /** The oldest answer that a connection still owes; undefined: none. */
  owed(socket: Duplex): Pending | undefined {
    return this.#pending.get(socket)?.[0]
  }

  /** The client waits for `100 Continue` before it sends the body (RFC 9110 section 10.1.1). */
  awaitsContinue(request: IncomingMessage): void {
    this.#expecting.add(request)
  }

  expectsContinue(request: IncomingMessage): boolean {
    return this.#expecting.has(request)
  }
}

/** The connection ends with this answer, no longer with the one before it. */
function endsWith(response: ServerResponse, before: ServerResponse | undefined): void {
  response.shouldKeepAlive = false
  if (before !== undefined) before.shouldKeepAlive = true
}
