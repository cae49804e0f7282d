import type { Duplex, Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { Meter } from '../ports/meter.ts'
import { Refusal } from '../problem/refusal.ts'
import type { Exchange } from './exchange.ts'
import { isConnectFailure, refusalOf } from './failures.ts'
import type { OpenStreams } from './open-streams.ts'
import { type HeaderRules, outboundHeaders } from './outbound-headers.ts'
import { outboundTarget } from './outbound-target.ts'
import type { ResponseHeaders } from './response-headers.ts'
import type { StallWatch, Watched } from './stall-watch.ts'
import type { Target, TargetSet } from './targets.ts'

/** What every call to an upstream shares. Made once. */
export interface CallContext {
  readonly headerRules: HeaderRules
  readonly responseHeaders: ResponseHeaders
  /** Bytes; a chunked request body that grows beyond it is refused. */
  readonly maxBodySize: number
  readonly meter: Meter
  readonly watch: StallWatch
  readonly streams: OpenStreams
  /** By the upstream's name. */
  readonly targets: ReadonlyMap<string, TargetSet>
}

/** What a call sends besides its headers. */
export interface Outgoing {
  readonly method: Dispatcher.HttpMethod
  readonly body: Readable | null
  /** Bytes, as declared by the client; null: not declared. */
  readonly contentLength: string | null
  readonly upgrade: 'websocket' | null
}

const NONE_TRIED: readonly Target[] = []
const CLIENT_GONE = new Error('the client hung up')

/**
 * One granted request at its upstream: chooses a target, sends, watches over the time it takes, and ends in exactly one way. It is sent once: another
 * target is tried only while no connection stood, so that no upstream can have seen the request.
 */
export abstract class UpstreamCall implements Dispatcher.DispatchHandler, Watched {
  protected readonly exchange: Exchange
  protected readonly context: CallContext
  protected controller: Dispatcher.DispatchController | null = null
  /** Silence in the response is no fault. */
  protected patient = false
  /** Nothing more happens: it ended, failed, or the client left. */
  protected over = false
  protected headSent = false
  watchedAt = -1
  readonly #targets: TargetSet
  #target: Target | null = null
  #tried: readonly Target[] = NONE_TRIED
  #outgoing: Outgoing | null = null
  /** It had to wait for others, not only for its connection to be made. */
  #queued = false
  #progressAt: number

  constructor(exchange: Exchange, context: CallContext) {
    const targets = context.targets.get(exchange.upstream.name)
    if (targets === undefined) throw new Refusal('internal', 'upstream-undeclared')
    this.exchange = exchange
    this.context = context
    this.#targets = targets
    this.#progressAt = context.watch.now
  }

  /** The response's head has come; status 200 or above. */
  protected abstract headCame(status: number, rawHeaders: readonly Buffer[]): void
  /** A piece of the response's body. */
  protected abstract bodyCame(chunk: Buffer): void
  /** The response is complete. */
  protected abstract responseEnded(rawTrailers: readonly Buffer[]): void
  /** It failed before the client was told anything. */
  protected abstract refused(refusal: Refusal): void
  /** It failed when the client had been told a part. */
  protected abstract broken(refusal: Refusal): void

  /** Whether it is the client whose turn it is, so that the upstream is not to be blamed for the time that passes. */
  protected waitsForClient(): boolean {
    return false
  }

  protected send(outgoing: Outgoing): void {
    this.#outgoing = outgoing
    this.context.watch.add(this)
    this.#dispatch(outgoing, null)
  }

  #dispatch({ method, body, contentLength, upgrade }: Outgoing, failure: unknown): void {
    const { granted } = this.exchange
    const target = this.#targets.next(this.context.watch.now, this.#tried)
    if (target === null) {
      this.fail(refusalOf(failure, false))
      return
    }
    if (this.#targets.isFull(target)) {
      this.fail(new Refusal('overloaded', 'upstream-connections-exhausted'))
      return
    }
    const { headers, identityHeaders } = outboundHeaders(granted, this.context.headerRules, target.host)
    if (identityHeaders > 0 && this.#target === null) this.context.meter.invariantViolated('I5')
    if (contentLength !== null) headers.push('content-length', contentLength)
    this.#target = target
    target.load += 1
    this.#queued = this.#targets.isSaturated(target)
    target.pool.dispatch({ path: outboundTarget(granted), method, headers, body, upgrade }, this)
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.over) controller.abort(CLIENT_GONE)
    else {
      this.controller = controller
      this.#progressAt = this.context.watch.now
    }
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    // Informational answers (1xx) end here: they are for whoever waits for them, and the gateway has asked for none.
    if (this.over || status < 200) return
    this.#progressAt = this.context.watch.now
    this.headCame(status, controller.rawHeaders as Buffer[])
    // Such a head is the whole answer. undici takes a 304 that names the length of what it stands for as a body cut short.
    if (this.over || (status !== 304 && status !== 204)) return
    this.#settle()
    this.responseEnded([])
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.over) return
    this.#progressAt = this.context.watch.now
    this.bodyCame(chunk)
  }

  onResponseEnd(controller: Dispatcher.DispatchController): void {
    this.#release()
    if (this.over) return
    this.#settle()
    this.responseEnded((controller.rawTrailers ?? []) as Buffer[])
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    const target = this.#release()
    if (this.over) return
    const connected = this.controller !== null
    if (connected || target === null || this.#outgoing === null || !isConnectFailure(error)) {
      this.fail(refusalOf(error, connected))
      return
    }
    this.#targets.rest(target, this.context.watch.now)
    this.#tried = [...this.#tried, target]
    this.#dispatch(this.#outgoing, error)
  }

  onRequestUpgrade(controller: Dispatcher.DispatchController, status: number, _headers: unknown, socket: Duplex): void {
    this.#release()
    if (this.over) {
      socket.destroy()
      return
    }
    this.context.watch.delete(this)
    this.upgraded(status, (controller.rawHeaders ?? []) as Buffer[], socket)
  }

  /** The upstream's connection is no longer HTTP. Only a call that asked for it gets here. */
  protected upgraded(_status: number, _rawHeaders: readonly Buffer[], socket: Duplex): void {
    socket.destroy()
    this.fail(new Refusal('upstream-invalid', 'upgrade-unasked'))
  }

  /** Ends the call from our side. Does nothing when it has ended. */
  fail(refusal: Refusal): void {
    if (this.over) return
    this.abort(refusal)
    if (this.headSent) {
      this.exchange.adjudication.brokenOff(refusal)
      this.broken(refusal)
    } else this.refused(refusal)
  }

  /** The client hung up: the upstream need not go on. Does nothing when the call has ended. */
  clientGone(): void {
    if (this.over) return
    this.abort(CLIENT_GONE)
    if (!this.headSent) this.exchange.adjudication.abandoned()
  }

  /** Ends what concerns the upstream; what the client is told is the caller's concern. */
  protected abort(why: Error): void {
    this.#settle()
    this.controller?.abort(why)
  }

  /** To be called when the head is known and before it is written. */
  protected answered(status: number): void {
    this.headSent = true
    this.exchange.adjudication.answered(status)
  }

  protected progressed(): void {
    this.#progressAt = this.context.watch.now
  }

  inspect(now: number, period: number): void {
    const { timeouts } = this.exchange.upstream
    if (this.headSent && this.patient) return
    if (!this.headSent && this.waitsForClient()) this.#progressAt = now
    if (now - this.#progressAt < (this.headSent ? timeouts.idle : timeouts.headers) + period) return
    if (this.headSent && this.controller?.paused) this.fail(new Refusal('request-timeout', 'client-reads-nothing'))
    else if (this.headSent) this.fail(new Refusal('upstream-timeout', 'body-idle'))
    else if (this.controller === null) this.fail(this.#unconnected())
    else this.fail(new Refusal('upstream-timeout', 'headers-timeout'))
  }

  #unconnected(): Refusal {
    return this.#queued
      ? new Refusal('overloaded', 'no-connection-in-time')
      : new Refusal('upstream-unreachable', 'connect-timeout')
  }

  #settle(): void {
    this.over = true
    this.context.watch.delete(this)
    // Before the connection stood nobody else would let go of the body.
    if (this.controller === null) this.#outgoing?.body?.destroy()
  }

  #release(): Target | null {
    if (this.#target !== null) this.#target.load -= 1
    return this.#target
  }
}
