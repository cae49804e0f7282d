import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Exchange } from './exchange.ts'
import { Tunnel } from './tunnel.ts'
import type { CallContext } from './upstream-call.ts'

/** The WebSockets that are open, so that they can be closed when the gateway stops; handshakes under way included. */
export class Tunnels {
  readonly #context: CallContext
  readonly #open = new Set<Tunnel>()

  constructor(context: CallContext) {
    this.#context = context
  }

  get open(): ReadonlySet<Tunnel> {
    return this.#open
  }

  /** Carries a granted upgrade, and answers it in any case. The socket is the tunnel's from here on. */
  start(exchange: Exchange, request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const tunnel = new Tunnel(exchange, this.#context, request, socket, head, (closed) => this.#open.delete(closed))
    this.#open.add(tunnel)
    tunnel.open()
  }

  /** The gateway stops: says goodbye to all of them. */
  stop(): void {
    for (const tunnel of this.#open) tunnel.stop()
  }

  destroy(): void {
    for (const tunnel of this.#open) tunnel.destroy()
  }
}
