import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { Refusal } from '../problem/refusal.ts'
import { wireFormat } from '../problem/render.ts'
import type { Exchange } from './exchange.ts'
import type { OpenStream } from './open-streams.ts'
import { assertValues } from './response-headers.ts'
import { type CallContext, UpstreamCall } from './upstream-call.ts'
import { closeFrame, FrameBoundary } from './websocket-frames.ts'
import { acceptsHandshake, handshakeFault } from './websocket-handshake.ts'

/** Bytes of an upstream's answer to a refused upgrade, and bytes that a client may send before it is answered. */
const LONGEST_BODY = 65_536
/** Milliseconds for a peer to take what is left for it once the other side has gone. */
const PARTING_MS = 5_000

/** Close codes: RFC 6455 section 7.4.1, and 1013 of its registry at IANA. */
const GOING_AWAY = 1001
const POLICY_VIOLATION = 1008
const TRY_AGAIN_LATER = 1013

/**
 * A WebSocket on its way through. The opening handshake is a call like any other: stripped, set, bounded in time. Afterwards bytes pass in both
 * directions without a timer, because silence on a WebSocket is no fault.
 */
export class Tunnel extends UpstreamCall implements OpenStream {
  readonly kind = 'websocket'
  readonly #request: IncomingMessage
  readonly #client: Duplex
  readonly #onClosed: (tunnel: Tunnel) => void
  readonly #boundary = new FrameBoundary()
  #early: Buffer[]
  #earlyLength = 0
  #upstream: Duplex | null = null
  #status = 0
  #rawHeaders: readonly Buffer[] = []
  readonly #body: Buffer[] = []
  #bodyLength = 0
  /** We have said goodbye. */
  #leaving = false

  /** `head`: what the client had sent behind the request already. `onClosed` is called once, when the client's connection is gone. */
  constructor(
    exchange: Exchange,
    context: CallContext,
    request: IncomingMessage,
    client: Duplex,
    head: Buffer,
    onClosed: (tunnel: Tunnel) => void,
  ) {
    super(exchange, context)
    this.#request = request
    this.#client = client
    this.#onClosed = onClosed
    this.#early = head.length > 0 ? [head] : []
    // The listener has let go of the socket: an error that nobody hears would end the process. `close` follows every error.
    client.on('error', () => {})
    client.on('close', () => this.#clientClosed())
  }

  /** Whose tunnel it is. */
  get granted() {
    return this.exchange.granted
  }

  open(): void {
    if (this.#client.destroyed) {
      this.#clientClosed()
      return
    }
    const fault = handshakeFault(this.#request)
    if (fault !== null) {
      this.fail(new Refusal('request-malformed', fault))
      return
    }
    // Reading on is the only way to learn that the client hung up. It has nothing to say before it is answered (RFC 6455 section 4.1).
    this.#client.on('data', this.#takeEarly)
    this.#client.on('end', this.#leave)
    this.#client.resume()
    this.send({ method: 'GET', body: null, contentLength: null, upgrade: 'websocket' })
  }

  /** Says goodbye to the client with a close frame where one fits, and ends both connections. */
  close(code: number, reason: string): void {
    if (this.#upstream === null) {
      this.fail(new Refusal('overloaded', 'gateway-stopping'))
      return
    }
    if (this.#leaving) return
    this.#leaving = true
    this.#upstream.unpipe(this.#client)
    if (this.#boundary.between && this.#client.writable) this.#client.write(closeFrame(code, reason))
    part(this.#client)
    this.#upstream.destroy()
  }

  withdraw({ code, reason }: Refusal): void {
    if (code !== 'credential-invalid') this.close(TRY_AGAIN_LATER, 'credential cannot be checked')
    else this.close(POLICY_VIOLATION, reason === 'expired' ? 'credential expired' : 'credential revoked')
  }

  stop(): void {
    this.close(GOING_AWAY, 'the gateway is stopping')
  }

  /** Cuts both connections. */
  destroy(): void {
    this.#client.destroy()
    this.#upstream?.destroy()
  }

  protected override upgraded(status: number, rawHeaders: readonly Buffer[], upstream: Duplex): void {
    upstream.on('error', () => {})
    const key = this.#request.headers['sec-websocket-key'] ?? ''
    const head = status === 101 && acceptsHandshake(rawHeaders, key) ? this.#headOf(status, rawHeaders, SWITCHING) : null
    if (head === null) {
      upstream.destroy()
      this.fail(new Refusal('upstream-invalid', 'handshake-invalid'))
      return
    }
    this.over = true
    this.#upstream = upstream
    this.answered(101)
    this.#client.write(head, 'latin1')
    this.#splice(upstream)
    this.context.streams.opened(this)
  }

  #splice(upstream: Duplex): void {
    const client = this.#client
    client.off('data', this.#takeEarly)
    client.off('end', this.#leave)
    for (const chunk of this.#early) upstream.write(chunk)
    this.#early = []
    upstream.on('data', (chunk: Buffer) => this.#boundary.see(chunk))
    upstream.pipe(client)
    client.pipe(upstream)
    upstream.on('close', () => {
      this.context.streams.closed(this)
      // A goodbye of ours is still on its way.
      if (this.#leaving) return
      if (upstream.readableEnded) part(client)
      else client.destroy()
    })
  }

  /** The upstream would rather not: its answer is passed on, and the connection ends with it. */
  protected override headCame(status: number, rawHeaders: readonly Buffer[]): void {
    this.#status = status
    this.#rawHeaders = rawHeaders
    if (status > 599) this.fail(new Refusal('upstream-invalid', 'status-invalid'))
  }

  protected override bodyCame(chunk: Buffer): void {
    this.#bodyLength += chunk.length
    if (this.#bodyLength > LONGEST_BODY) this.fail(new Refusal('upstream-invalid', 'upgrade-answer-too-long'))
    else this.#body.push(chunk)
  }

  protected override responseEnded(): void {
    const head = this.#headOf(this.#status, this.#rawHeaders, `content-length: ${this.#bodyLength}\r\nconnection: close\r\n`)
    if (head === null) {
      this.refused(new Refusal('upstream-invalid', 'response-head-invalid'))
      return
    }
    this.answered(this.#status)
    this.#client.write(head, 'latin1')
    for (const chunk of this.#body) this.#client.write(chunk)
    part(this.#client)
  }

  protected override refused(refusal: Refusal): void {
    const rendered = this.exchange.adjudication.refuse(refusal)
    if (this.#client.destroyed) return
    this.#client.write(wireFormat(rendered, STATUS_CODES[rendered.status] ?? ''))
    part(this.#client)
  }

  protected override broken(): void {
    this.destroy()
  }

  /** The head as bytes; null when a header would not stand in its line. `own`: lines about this connection. */
  #headOf(status: number, rawHeaders: readonly Buffer[], own: string): string | null {
    try {
      const { headers } = this.context.responseHeaders.head(rawHeaders, status, this.exchange.granted)
      assertValues(headers)
      let head = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${own}`
      for (let index = 0; index + 1 < headers.length; index += 2) {
        const name = headers[index] as string
        if (name.toLowerCase() !== 'content-length') head += `${name}: ${headers[index + 1]}\r\n`
      }
      return `${head}\r\n`
    } catch {
      return null
    }
  }

  #takeEarly = (chunk: Buffer): void => {
    this.#earlyLength += chunk.length
    if (this.#earlyLength > LONGEST_BODY) this.#client.destroy()
    else this.#early.push(chunk)
  }

  #leave = (): void => {
    if (this.over) return
    this.clientGone()
    this.#client.destroy()
  }

  #clientClosed(): void {
    this.clientGone()
    this.context.streams.closed(this)
    const upstream = this.#upstream
    if (upstream !== null) {
      if (this.#client.readableEnded) part(upstream)
      else upstream.destroy()
    }
    this.#onClosed(this)
  }
}

const SWITCHING = 'connection: Upgrade\r\nupgrade: websocket\r\n'

/**
 * Ends a connection when its peer has taken what was written and has ended too, or has had time enough. Until then what still comes is dropped: closing
 * over unread bytes would reset the connection and lose what was written last.
 */
function part(socket: Duplex): void {
  if (socket.destroyed) return
  const timer = setTimeout(() => socket.destroy(), PARTING_MS)
  timer.unref()
  socket.once('close', () => clearTimeout(timer))
  if (socket.readableEnded) {
    socket.end(() => socket.destroy())
    return
  }
  socket.unpipe()
  socket.once('end', () => socket.destroy())
  socket.end()
  socket.resume()
}
