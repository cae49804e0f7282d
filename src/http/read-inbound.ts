import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import type { Inbound, Malformation } from '../domain/inbound.ts'
import type { ClientAddress } from './client-address.ts'

/** Ids that may be kept: they end up in a header, a log line and a record. */
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._:@+=~-]{0,127}$/

/** A request line without a version (HTTP/0.9), which Node's parser lets through. */
const NO_VERSION: Malformation = { code: 'request-malformed', reason: 'version-unsupported' }

/** A request as the pipeline sees it. Copies nothing that Node already holds. `originalUrl`: the target before Fastify's `rewriteUrl`. */
export function readInbound(
  request: IncomingMessage & { originalUrl?: string },
  { address, origin, malformed }: ClientAddress,
  upgrade: boolean,
): Inbound {
  const { rawHeaders } = request
  let requestId: string | null = null
  let userAgent: string | null = null
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (name.length === 12 && name.toLowerCase() === 'x-request-id')
      requestId = requestId === null ? (rawHeaders[index + 1] as string) : ''
    else if (name.length === 10 && name.toLowerCase() === 'user-agent') userAgent ??= rawHeaders[index + 1] as string
  }
  return {
    requestId: requestId !== null && REQUEST_ID.test(requestId) && !/pgk|eyJ/i.test(requestId) ? requestId : randomUUID(),
    method: request.method ?? '',
    target: request.originalUrl ?? request.url ?? '',
    rawHeaders,
    clientAddress: address,
    httpVersion: request.httpVersion,
    malformed: request.httpVersionMajor === 1 ? malformed : NO_VERSION,
    origin,
    userAgent,
    upgrade,
    arrivedAt: performance.now(),
  }
}

/** What is left of a request whose head or body the parser gave up: nothing of its text is believed or kept. */
export function unreadableInbound(address: string, malformed: Malformation): Inbound {
  return {
    requestId: randomUUID(),
    method: '',
    target: '',
    rawHeaders: [],
    clientAddress: address,
    httpVersion: '1.1',
    malformed,
    origin: { addresses: [address], proto: 'http', host: '' },
    userAgent: null,
    upgrade: false,
    arrivedAt: performance.now(),
  }
}
