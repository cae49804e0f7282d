import type { IncomingMessage, ServerResponse } from 'node:http'
import { asRefusal, Refusal } from '../problem/refusal.ts'
import type { Exchange } from './exchange.ts'
import { EventBoundary, lastEvent } from './last-event.ts'
import type { OpenStream } from './open-streams.ts'
import { type BodyObserver, RequestBody } from './request-body.ts'
import { sendRefusal } from './send-refusal.ts'
import { type CallContext, UpstreamCall } from './upstream-call.ts'

/** What the proxy plugin is given for a response: enough for it to call back, while head and body are written here. */
export interface PluginResponse {
  readonly statusCode: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: HttpRelay
}

export type PluginCallback = (error: null, response: PluginResponse) => void

const NO_HEADERS = Object.freeze({})
const NOTHING = Buffer.alloc(0)
/** Bytes of a body that are copied to leave in one write with the head. */
const MOST_HELD = 16 * 1024
/** Milliseconds for a client to take the end of its events. */
const PARTING_MS = 5_000

/**
 * A request and its response, passed on. The response's chunks go from the upstream's connection to the client's as they come, with no stream in
 * between: a client that reads slowly pauses the upstream.
 */
export class HttpRelay extends UpstreamCall implements BodyObserver, OpenStream {
  readonly kind = 'event-stream'
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #body: RequestBody | null
  #callback: PluginCallback | null = null
  #status = 0
  #rawHeaders: readonly Buffer[] = []
  #bodyBegun = false
  /** The first piece of the body, not yet written. */
  #held: Buffer | null = null
  #drains = false
  #sized = false
  /** null: no stream of events, or one in which none of ours can be put. */
  #events: EventBoundary | null = null

  constructor(exchange: Exchange, context: CallContext, request: IncomingMessage, response: ServerResponse) {
    super(exchange, context)
    this.#request = request
    this.#response = response
    this.#body = hasBody(request) ? new RequestBody(request, context.maxBodySize, this) : null
    response.on('close', () => {
      this.clientGone()
      if (this.patient) this.context.streams.closed(this)
    })
  }

  /** Sends the request. `callback` is called once, when the response's head has come, and has `relayHead` called; a failure is answered here. */
  start(callback: PluginCallback | null = null): void {
    this.#callback = callback
    if (this.#response.destroyed) {
      this.clientGone()
      return
    }
    try {
      this.#send()
    } catch (error) {
      this.fail(asRefusal(error))
    }
  }

  #send(): void {
    const contentLength = this.#body === null ? null : (this.#request.headers['content-length'] ?? null)
    this.send({ method: this.#request.method as string, body: this.#body, contentLength, upgrade: null })
  }

  /** Writes the head that has come. */
  relayHead(): void {
    if (this.over) return
    const response = this.#response
    try {
      const { headers, sized, eventStream, trailers } = this.context.responseHeaders.head(
        this.#rawHeaders,
        this.#status,
        this.exchange.granted,
      )
      this.#sized = sized
      this.patient = eventStream
      if (eventStream && this.#status === 200 && !sized && !isEncoded(headers)) this.#events = new EventBoundary()
      if (trailers.length > 0 && this.#takesTrailers()) headers.push('trailer', trailers.join(', '))
      response.writeHead(this.#status, headers)
    } catch (cause) {
      this.fail(new Refusal('upstream-invalid', 'response-head-invalid', { cause }))
      return
    }
    this.answered(this.#status)
    if (this.patient) this.context.streams.opened(this)
    // Most often the body follows in the same turn, and both leave in one write.
    process.nextTick(flushHead, this)
  }

  /** The plugin's word for: the client has left. */
  destroy(): void {
    this.clientGone()
  }

  protected override waitsForClient(): boolean {
    return this.#body !== null && this.controller !== null && this.#body.waitsForClient
  }

  protected override headCame(status: number, rawHeaders: readonly Buffer[]): void {
    if (status > 599) {
      this.fail(new Refusal('upstream-invalid', 'status-invalid'))
      return
    }
    this.#status = status
    this.#rawHeaders = rawHeaders
    if (this.#callback === null) this.relayHead()
    else this.#callback(null, { statusCode: status, headers: NO_HEADERS, body: this })
    if (!this.headSent && !this.over) this.fail(new Refusal('internal', 'head-not-relayed'))
  }

  /** The first piece waits for the end of the turn: when it is all there is, it leaves with the head. */
  protected override bodyCame(chunk: Buffer): void {
    this.#events?.see(chunk)
    if (this.#bodyBegun || chunk.length > MOST_HELD) this.#write(chunk)
    else {
      this.#bodyBegun = true
      this.#held = chunk
    }
  }

  #write(chunk: Buffer): void {
    this.#letGo()
    if (this.#response.write(chunk)) return
    this.controller?.pause()
    if (this.#drains) return
    this.#drains = true
    this.#response.on('drain', () => {
      this.progressed()
      if (!this.over) this.controller?.resume()
    })
  }

  #letGo(): void {
    this.#bodyBegun = true
    const held = this.#held
    this.#held = null
    if (held !== null) this.#response.write(held)
  }

  protected override responseEnded(rawTrailers: readonly Buffer[]): void {
    const response = this.#response
    this.#bodyBegun = true
    if (this.patient) this.context.streams.closed(this)
    if (rawTrailers.length > 0 && this.#takesTrailers()) {
      const trailers = this.#passingTrailers(rawTrailers)
      if (trailers.length > 0) response.addTrailers(trailers)
    }
    const held = this.#held
    this.#held = null
    if (held === null) response.end()
    // Node joins a head and a text into one write; a head and a buffer are two, and cost about twice as much.
    else response.end(held.toString('latin1'), 'latin1')
  }

  /** Whose events they are. */
  get granted() {
    return this.exchange.granted
  }

  withdraw(refusal: Refusal): void {
    this.#endEvents(refusal, refusal.code)
  }

  stop(): void {
    this.#endEvents(new Refusal('overloaded', 'gateway-stopping'), 'gateway-stopping')
  }

  /** With an event of ours where one fits. A client that does not take it is cut off. */
  #endEvents(why: Refusal, code: string): void {
    if (this.over) return
    this.abort(why)
    this.#letGo()
    if (this.#sized) {
      this.broken()
      return
    }
    const response = this.#response
    const timer = setTimeout(() => response.destroy(), PARTING_MS).unref()
    response.once('close', () => clearTimeout(timer))
    if (this.#events === null) response.end()
    else response.end(lastEvent(this.#events, code, this.granted.facts.inbound.requestId))
  }

  protected override refused(refusal: Refusal): void {
    sendRefusal(this.#request, this.#response, this.exchange.adjudication.refuse(refusal))
  }

  /** The client must see a cut, not an end: where the end of the connection is the end of the body, only a reset is one. */
  protected override broken(): void {
    const { socket } = this.#response
    if (this.#sized || this.#response.chunkedEncoding || socket === null) this.#response.destroy()
    else socket.resetAndDestroy()
  }

  bodyProgressed(): void {
    this.progressed()
  }

  bodyTooLarge(): void {
    this.fail(new Refusal('body-too-large', 'streamed-length'))
  }

  /** An empty write rather than `flushHeaders`, which would write the head as UTF-8 and so change bytes above 0x7f. */
  flushHead(): void {
    if (this.over) return
    if (this.#held !== null) this.#letGo()
    else if (!this.#bodyBegun) this.#write(NOTHING)
  }

  /** Trailers travel in chunked bodies only (RFC 9112 section 7.1.2). */
  #takesTrailers(): boolean {
    return (
      !this.#sized &&
      this.#request.httpVersion === '1.1' &&
      this.#request.method !== 'HEAD' &&
      this.#status !== 204 &&
      this.#status !== 304
    )
  }

  #passingTrailers(raw: readonly Buffer[]): [string, string][] {
    const flat = this.context.responseHeaders.trailers(raw)
    const pairs: [string, string][] = []
    for (let index = 0; index + 1 < flat.length; index += 2) pairs.push([flat[index] as string, flat[index + 1] as string])
    return pairs
  }
}

function flushHead(relay: HttpRelay): void {
  relay.flushHead()
}

/** Names and values alternating. In a compressed body our words would be noise (RFC 9110 section 8.4). */
function isEncoded(headers: readonly string[]): boolean {
  return headers.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-encoding')
}

/** By the head (RFC 9112 section 6.3): a length above nothing, or chunks. */
export function hasBody({ headers }: IncomingMessage): boolean {
  if (headers['transfer-encoding'] !== undefined) return true
  const length = headers['content-length']
  return length !== undefined && Number(length) > 0
}
