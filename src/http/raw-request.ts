import { once } from 'node:events'
import type { IncomingMessage, Server } from 'node:http'
import { Duplex } from 'node:stream'
import type { Inbound, Malformation } from '../domain/inbound.ts'
import { handshakeFault } from '../upstream/websocket-handshake.ts'
import type { GateOptions } from './gate.ts'
import { createParser } from './parser.ts'
import { readInbound, unreadableInbound } from './read-inbound.ts'
import { connectInbound, malformationBy, upgradeInbound } from './upgrades.ts'

/** The first request that was found in some bytes. */
export interface RawRequest {
  readonly inbound: Inbound
  /** What the parser found wrong in the body, when the head was read already; null: nothing. Counts only where the request would be allowed. */
  readonly broken: Malformation | null
  /** More bytes came than belong to it. */
  readonly followed: boolean
  /** Of an upgrade: why no upstream would be asked for a WebSocket with such an opening. null: nothing is wrong, or it is none. */
  readonly handshakeFault: ReturnType<typeof handshakeFault>
  /** Bytes of the body that came, without what frames them. */
  readonly bodyLength: number
}

export interface RawRequestOptions {
  /** As the public listener has it, in milliseconds. */
  readonly requestTimeout: number
  readonly readAddress: GateOptions['readAddress']
}

/**
 * Reads bytes as the public listener would read them from a connection: by Node's own parser with the same settings, in memory. `address`: the
 * peer's. What ends before its head is whole is read as if the client had stopped there.
 */
export async function readRawRequest(bytes: Uint8Array, address: string, options: RawRequestOptions): Promise<RawRequest> {
  const server = createParser(options.requestTimeout)
  const { found, message } = listenTo(server, address, options.readAddress)
  const socket = inMemorySocket(address)
  server.emit('connection', socket)
  // Each wait ends after the parser's own listener, which came first, has been given the same.
  if (bytes.length > 0) {
    socket.push(bytes)
    await once(socket, 'data')
  }
  if (found.inbound === null) {
    socket.push(null)
    await once(socket, 'end')
  }
  // Nobody reads the body: what came of it is all there.
  const bodyLength = message()?.readableLength ?? 0
  socket.destroy()
  return { ...found, bodyLength, inbound: found.inbound ?? unreadableInbound(address, malformationBy(NOTHING_WHOLE)) }
}

/** The parser's code for bytes that end within a request. */
const NOTHING_WHOLE = 'HPE_INVALID_EOF_STATE'

type Found = {
  -readonly [Part in Exclude<keyof RawRequest, 'bodyLength'>]: RawRequest[Part] | (Part extends 'inbound' ? null : never)
}

interface Listening {
  readonly found: Found
  /** The request as the parser gives it; null: its head was not read. */
  readonly message: () => IncomingMessage | null
}

/** Takes down the first request, by whichever way it comes, and what the parser says of it. */
function listenTo(server: Server, address: string, readAddress: RawRequestOptions['readAddress']): Listening {
  const found: Found = { inbound: null, broken: null, followed: false, handshakeFault: null }
  let request: IncomingMessage | null = null
  const take = (event: string, read: (message: IncomingMessage) => Inbound) =>
    server.on(event, (message: IncomingMessage, _socket: unknown, head?: Buffer) => {
      if (found.inbound !== null || (head !== undefined && head.length > 0)) found.followed = true
      if (found.inbound !== null) return
      found.inbound = read(message)
      if (event === 'upgrade') found.handshakeFault = handshakeFault(message)
      request = message
    })
  const asRequest = (message: IncomingMessage) => readInbound(message, readAddress(message), false)
  for (const event of ['request', 'checkContinue', 'checkExpectation']) take(event, asRequest)
  take('upgrade', (message) => upgradeInbound(message, readAddress))
  take('connect', (message) => connectInbound(message, readAddress))
  server.on('clientError', ({ code = '' }: NodeJS.ErrnoException) => {
    if (found.inbound === null) found.inbound = unreadableInbound(address, malformationBy(code))
    else if (request?.complete === false) found.broken ??= malformationBy(code)
    else found.followed = true
  })
  return { found, message: () => request }
}

/** A connection from this address that hears nothing. */
function inMemorySocket(remoteAddress: string): Duplex {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, written) => written() })
  socket.on('error', () => {})
  return Object.assign(socket, { remoteAddress })
}
