import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import type { Ground } from '../problem/reasons.ts'
import { asRefusal, Refusal, type RefusalDetails } from '../problem/refusal.ts'
import { type RenderedRefusal, renderRefusal } from '../problem/render.ts'
import { sendRefusal } from '../upstream/send-refusal.ts'
import { fieldErrors, type SchemaError } from './admin-api/field-errors.ts'
import { answerOnSocket } from './answer-on-socket.ts'
import { clientAddressReader } from './client-address.ts'
import { readInbound } from './read-inbound.ts'
import { malformationBy } from './upgrades.ts'

/** Is told of every refusal on the admin listener, for the log. */
export type AdminRefusalObserver = (
  refusal: Refusal,
  request: { readonly requestId: string; readonly route: string | null; readonly clientIp: string },
) => void

const readPeer = clientAddressReader([])

/** Who is connected. Nobody's word for another address is taken here: there is no proxy before administration. */
export function addressOf(request: IncomingMessage): string {
  return readPeer(request).address
}

/** The client's own request id when it is well formed, else a new one. */
export function requestIdOf(request: IncomingMessage): string {
  return readInbound(request, readPeer(request), false).requestId
}

/** Answers an error by the refusal table, and tells the observer. For Fastify's error handlers. */
export function refusing(observe: AdminRefusalObserver): (error: unknown, request: FastifyRequest, reply: FastifyReply) => void {
  return (error, request, reply) => {
    const refusal = refusalOf(error)
    observe(refusal, { requestId: request.id, route: null, clientIp: addressOf(request.raw) })
    reply.hijack()
    sendRefusal(request.raw, reply.raw, renderedForAdmin(refusal, request.id))
  }
}

/** Answers what Node's parser gave up on. The error's raw bytes may hold a credential: they are neither logged nor kept. */
export function refusingUnread(observe: AdminRefusalObserver): (error: NodeJS.ErrnoException, socket: Socket) => void {
  return (error, socket) => {
    // An answer may have begun on this connection: another one must not be written into it.
    if (error.code === 'ECONNRESET' || !socket.writable || socket.bytesWritten > 0) {
      socket.destroy()
      return
    }
    const refusal = Refusal.for(malformationBy(error.code ?? ''))
    const requestId = randomUUID()
    observe(refusal, { requestId, route: null, clientIp: socket.remoteAddress ?? '' })
    answerOnSocket(socket, renderedForAdmin(refusal, requestId))
  }
}

/** A refusal of the admin listener, which takes a bearer token and nothing else. */
function renderedForAdmin(refusal: Refusal, requestId: string): RenderedRefusal {
  return renderRefusal(refusal, requestId, { jwt: true, apiKeyHeader: null })
}

type Row = Ground & { readonly message?: string }

/** What Fastify itself refuses, by its error code. Its messages repeat what was sent and go nowhere. */
const FASTIFY_ERRORS: Readonly<Record<string, Row>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'body-too-large', reason: 'body-too-large' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: { code: 'request-malformed', reason: 'not-json', message: 'must be application/json' },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'request-malformed', reason: 'json-invalid', message: 'must be well-formed JSON' },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'request-malformed', reason: 'length-mismatch' },
  FST_ERR_BAD_URL: { code: 'request-malformed', reason: 'path-invalid' },
}

function refusalOf(error: unknown): Refusal {
  const { validation, validationContext, code = '', statusCode } = error as Partial<FastifyError>
  if (validation !== undefined) {
    const errors = validationContext === 'body' ? fieldErrors(validation as unknown as SchemaError[]) : [TAKES_NO_QUERY]
    return new Refusal('request-malformed', 'fields-invalid', { errors })
  }
  const row = FASTIFY_ERRORS[code]
  if (row !== undefined) return Refusal.for(row, detailsOf(row))
  if (statusCode === 400 && code.startsWith('FST_')) return new Refusal('request-malformed', 'request-unreadable')
  return asRefusal(error)
}

const TAKES_NO_QUERY = { path: '', message: 'takes no query' }

function detailsOf({ message }: Row): RefusalDetails {
  return message === undefined ? {} : { errors: [{ path: '', message }] }
}
