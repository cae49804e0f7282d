import type { Principal } from '../domain/credential.ts'
import type { StreamKind, StreamRecord } from '../domain/stream-record.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import type { AuditLog } from '../ports/audit-log.ts'
import type { Clock } from '../ports/clock.ts'
import { asRefusal, Refusal } from '../problem/refusal.ts'
import type { Standing } from './credential-standing.ts'

/** Milliseconds between two looks at all streams. */
const LOOK_EVERY_MS = 250
/** Streams looked at in one go; requests come in between. */
const AT_ONCE = 1_000

/** A WebSocket, or a response of server-sent events, that is open. */
export interface OpenStream {
  readonly kind: StreamKind
  readonly granted: Granted
  /** Ends it because of its credential, and says so to the client where that can be said. */
  withdraw(refusal: Refusal): void
  /** Ends it because the gateway stops. */
  stop(): void
}

export interface OpenStreamsOptions {
  readonly standing: Standing
  readonly auditLog: Pick<AuditLog, 'appendStreamClosed'>
  readonly clock: Clock
}

/**
 * What stays open longer than the decision that let it in. One timer looks over all of it, and only while there is any: a stream whose credential no
 * longer counts, or of which that cannot be told, is closed and recorded. Nobody is behind a stream of a PUBLIC route, so it stays.
 */
export class OpenStreams {
  readonly #options: OpenStreamsOptions
  readonly #open = new Set<OpenStream>()
  #timer: NodeJS.Timeout | null = null
  #pass: Iterator<OpenStream> | null = null
  #verdicts = new Map<Principal, Refusal | null>()
  #stopping = false

  constructor(options: OpenStreamsOptions) {
    this.#options = options
  }

  get size(): number {
    return this.#open.size
  }

  /** Whether its timer runs. */
  get watching(): boolean {
    return this.#timer !== null
  }

  opened(stream: OpenStream): void {
    if (this.#stopping) {
      stream.stop()
      return
    }
    this.#open.add(stream)
    this.#timer ??= setInterval(() => this.#look(), LOOK_EVERY_MS).unref()
  }

  /** Does nothing when it is not, or no longer, among them. */
  closed(stream: OpenStream): void {
    if (this.#open.delete(stream) && this.#open.size === 0) this.#rest()
  }

  /** The gateway stops: what is open, and what opens from here on, ends. */
  drain(): void {
    this.#stopping = true
    const open = [...this.#open]
    this.#open.clear()
    this.#rest()
    for (const stream of open) stream.stop()
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer)
    this.#timer = null
  }

  #look(): void {
    if (this.#pass !== null) return
    this.#pass = this.#open.values()
    this.#verdicts = new Map()
    this.#walk(this.#pass)
  }

  /** A set's iterator bears that members come and go meanwhile. */
  #walk(pass: Iterator<OpenStream>): void {
    for (let left = AT_ONCE; left > 0; left -= 1) {
      const { done, value } = pass.next()
      if (done === true) {
        this.#pass = null
        this.#verdicts = new Map()
        return
      }
      this.#examine(value)
    }
    setImmediate(() => this.#walk(pass))
  }

  #examine(stream: OpenStream): void {
    const { principal } = stream.granted.facts
    if (principal === null) return
    const refusal = this.#verdictOn(principal)
    if (refusal === null) return
    this.closed(stream)
    this.#options.auditLog.appendStreamClosed(this.#recordOf(stream, principal, refusal))
    stream.withdraw(refusal)
  }

  /** Once for all streams of a credential. */
  #verdictOn(principal: Principal): Refusal | null {
    const known = this.#verdicts.get(principal)
    if (known !== undefined) return known
    const verdict = this.#judge(principal)
    this.#verdicts.set(principal, verdict)
    return verdict
  }

  #judge(principal: Principal): Refusal | null {
    try {
      const reason = this.#options.standing(principal)
      return reason === null ? null : new Refusal('credential-invalid', reason)
    } catch (error) {
      return asRefusal(error)
    }
  }

  #recordOf({ kind, granted }: OpenStream, principal: Principal, { code, reason }: Refusal): StreamRecord {
    const { inbound, route } = granted.facts
    return {
      time: new Date(this.#options.clock.now()).toISOString(),
      requestId: inbound.requestId,
      route: route.id,
      stream: kind,
      code,
      reason,
      credential: { kind: principal.kind, id: principal.credentialId },
      session: principal.sessionDigest,
    }
  }
}
