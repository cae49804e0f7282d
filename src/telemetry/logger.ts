import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino'
import type { DecisionRecord } from '../domain/decision-record.ts'
import type { Refusal } from '../problem/refusal.ts'
import { refusalKind } from '../problem/refusals.ts'
import { errorFields, redactor, redactText } from './redaction.ts'

export type LogThreshold = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent'

export interface LoggerOptions {
  readonly level: LogThreshold
  /** Further headers that carry credentials: the configured API key and assertion headers. */
  readonly secretHeaders?: readonly string[]
  /** Default: standard output. */
  readonly stream?: DestinationStream
}

/** Bytes that may wait for a standard output that nobody reads; beyond them lines are lost rather than requests held up. */
const MAX_WAITING = 16 * 1024 * 1024

/**
 * JSON lines with ISO time and a level in words. Credentials are kept out twice: by the names of fields, at every depth, and by their look
 * in the finished line.
 */
export function createLogger({ level, secretHeaders = [], stream }: LoggerOptions): Logger {
  const redact = redactor(secretHeaders)
  const logger = pino(
    {
      level,
      base: { pid: process.pid },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }), log: redact },
      serializers: { err: (error: unknown) => (error instanceof Error ? errorFields(error) : error) },
      hooks: { streamWrite: redactText },
    },
    stream ?? destination({ dest: 1, sync: false, maxLength: MAX_WAITING }),
  )
  return redactingChildren(logger, redact)
}

/** pino formats the fields of children by no formatter of their parent. Children inherit this `child`, so theirs are safe too. */
function redactingChildren(logger: Logger, redact: ReturnType<typeof redactor>): Logger {
  const child = logger.child
  const safeChild: typeof child = function (this: Logger, bindings, options) {
    return child.call(this, redact(bindings), options) as ReturnType<typeof child>
  } as typeof child
  return Object.assign(logger, { child: safeChild })
}

/** What a log line says of the request itself. */
export type LoggedRequest = Pick<DecisionRecord, 'requestId' | 'route' | 'clientIp'>

/** One line for a refused request, as loud as the refusal table says. The client saw only the code and its title. */
export function logRefusal(logger: Logger, refusal: Refusal, record: LoggedRequest): void {
  const { level, title } = refusalKind(refusal.code)
  if (!logger.isLevelEnabled(level)) return
  const { cause } = refusal
  logger[level](
    {
      requestId: record.requestId,
      code: refusal.code,
      reason: refusal.reason,
      route: record.route,
      clientIp: record.clientIp,
      ...causeFields(cause, refusal.code === 'internal'),
    },
    `Refused: ${title}.`,
  )
}

/** An error, or the bare code of one whose text may hold anybody's bytes. Anything else that was thrown says nothing that is safe to repeat. */
function causeFields(cause: unknown, withStack: boolean): object {
  if (cause instanceof Error) return { cause: errorFields(cause, withStack) }
  return typeof cause === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(cause) ? { cause: { code: cause } } : {}
}
