import type { IncomingMessage } from 'node:http'
import { Duplex } from 'node:stream'
import type { Inbound, Malformation } from '../domain/inbound.ts'
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
export function readRawRequest(bytes: Uint8Array, address: string, options: RawRequestOptions): Promise<RawRequest> {
  return new Promise((resolve) => {
    const server = createParser(options.requestTimeout)
    const socket = inMemorySocket(address)
    let first: Inbound | null = null
    let request: IncomingMessage | null = null
    let broken: Malformation | null = null
    let followed = false
    const take = (read: (request: IncomingMessage) => Inbound) => (message: IncomingMessage) => {
      if (first !== null) followed = true
      else [first, request] = [read(message), message]
    }
    const plain = take((message) => readInbound(message, options.readAddress(message), false))
    for (const event of ['request', 'checkContinue', 'checkExpectation']) server.on(event, plain)
    const upgrade = take((message) => upgradeInbound(message, options.readAddress))
    server.on('upgrade', (message: IncomingMessage, _socket: Duplex, head: Buffer) => {
      followed ||= head.length > 0
      upgrade(message)
    })
    server.on(
      'connect',
      take((message) => connectInbound(message, options.readAddress)),
    )
    server.on('clientError', ({ code = '' }: NodeJS.ErrnoException) => {
      if (first === null) first = unreadableInbound(address, malformationBy(code))
      else if (request?.complete === false) broken ??= malformationBy(code)
      else followed = true
    })
    const finish = () => {
      resolve({ inbound: first ?? unreadableInbound(address, malformationBy(NOTHING_WHOLE)), broken, followed })
      socket.destroy()
    }
    server.emit('connection', socket)
    // Comes after the parser's own listener has been given the same bytes.
    socket.once('data', () => (first === null ? socket.once('end', finish).push(null) : finish()))
    if (!socket.push(bytes.length === 0 ? null : bytes) && bytes.length === 0) finish()
  })
}

/** The parser's code for bytes that end within a request. */
const NOTHING_WHOLE = 'HPE_INVALID_EOF_STATE'

/** A connection from this address that hears nothing. */
function inMemorySocket(remoteAddress: string): Duplex {
  const socket = new Duplex({ read() {}, write: (_chunk, _encoding, written) => written() })
  socket.on('error', () => {})
  return Object.assign(socket, { remoteAddress })
}
