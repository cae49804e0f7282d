import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Adjudication } from '../pipeline/adjudicate.ts'

/** A request that a connection is still answering. */
export interface Pending {
  readonly response: ServerResponse
  adjudication: Adjudication | null
}

/**
 * Which connections are in the middle of an answer. An upgrade or a parse error on such a connection must not write into that answer: this is how
 * one pipelined upgrade took the process down elsewhere (CVE-2026-130647).
 */
export class Connections {
  readonly #pending = new WeakMap<Duplex, Pending[]>()
  readonly #expecting = new WeakSet<IncomingMessage>()

  /** A request's head was read. Call it before anything else sees the request. */
  began(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request
    const pending = this.#pending.get(socket)
    const entry: Pending = { response, adjudication: null }
    if (pending === undefined) this.#pending.set(socket, [entry])
    else pending.push(entry)
    response.once('close', () => {
      const now = this.#pending.get(socket)
      const index = now?.indexOf(entry) ?? -1
      if (index >= 0) now?.splice(index, 1)
    })
  }

  /** The request of this response was judged. */
  judged(socket: Duplex, response: ServerResponse, adjudication: Adjudication): void {
    const entry = this.#pending.get(socket)?.find((pending) => pending.response === response)
    if (entry !== undefined) entry.adjudication = adjudication
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
