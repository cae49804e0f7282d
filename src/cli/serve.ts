import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { Logger } from 'pino'
import { type BuiltGateway, buildGateway } from '../build.ts'
import { formatFinding } from '../config/finding.ts'
import type { Gateway } from '../config/gateway.ts'
import { loadGateway } from '../config/load.ts'
import { resolveAdminToken } from '../config/secret-reference.ts'
import { createLogger, type LogThreshold } from '../telemetry/logger.ts'
import { DEFAULT_CONFIG, parseVerbArguments, type VerbIo } from './arguments.ts'

/** Milliseconds that open requests may take to finish after SIGTERM; below the 30 s that orchestrators usually wait before they kill. */
const DRAIN_TIME = 25_000
const STOP_SIGNALS = ['SIGTERM', 'SIGINT'] as const
/** Milliseconds in which two signals are one. */
const SAME_STOP = 1_000
const LEVELS: readonly LogThreshold[] = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']

/** `serve`: runs the gateway until SIGTERM or SIGINT. Prints one line when it accepts requests. Returns 1 when it could not start. */
export async function serve(argv: readonly string[], io: VerbIo): Promise<number> {
  const { config } = parseVerbArguments(argv, { config: { type: 'string', default: DEFAULT_CONFIG } }).values
  const loaded = loadGateway(config)
  if (!loaded.ok) {
    for (const mistake of loaded.mistakes) io.err(`${formatFinding(mistake)}\n`)
    return 1
  }
  const { gateway } = loaded
  const logger = createLogger({ level: logLevel(), secretHeaders: [gateway.apiKeyHeader, gateway.identity.header] })
  for (const { path, reason } of loaded.loosened) logger.warn({ path, reason }, 'A default is loosened.')
  for (const warning of loaded.warnings) logger.warn({ finding: formatFinding(warning) }, 'The configuration has a warning.')
  const built = await started(gateway, logger)
  if (built === null) return 1
  // Heard from before that line on: whoever waits for it may stop the gateway at once.
  const stopping = stopSignal()
  io.out(`planegate accepts requests on ${addressOf(built.publicListener)} (admin on ${addressOf(built.adminListener)})\n`)
  const signal = await stopping
  logger.info({ signal }, 'Draining.')
  return drain(built, logger)
}

/** A gateway that accepts requests, or null after one fatal line that says why not. */
async function started(gateway: Gateway, logger: Logger): Promise<BuiltGateway | null> {
  try {
    const { token } = gateway.admin
    const adminToken = token === null ? null : resolveAdminToken(token, process.env)
    return await start(await buildGateway(gateway, logger, adminToken), gateway, logger)
  } catch (error) {
    logger.fatal({ err: error }, `planegate cannot start: ${error instanceof Error ? error.message : String(error)}`)
    return null
  }
}

async function start(built: BuiltGateway, gateway: Gateway, logger: Logger): Promise<BuiltGateway | null> {
  const failing = await built.start()
  if (failing.length > 0 && gateway.strictStartup) {
    const names = failing.map(({ name, provider, detail }) => `${name} of ${provider} (${detail})`).join('; ')
    logger.fatal({ checks: failing }, `planegate does not start: failed checks: ${names}`)
    await built.close()
    return null
  }
  for (const check of failing) logger.error({ check }, 'A provider is not ready.')
  try {
    await built.adminListener.listen({ host: gateway.admin.host, port: gateway.admin.port })
    await built.publicListener.listen({ host: gateway.server.host, port: gateway.server.port })
  } catch (error) {
    await Promise.all([built.publicListener.close(), built.adminListener.close()])
    await built.close()
    throw error
  }
  return built
}

/** Not ready, no new connections, open requests finish; then the stores close and the audit log is written out. */
async function drain(built: BuiltGateway, logger: Logger): Promise<number> {
  built.drain()
  const overdue = setTimeout(() => {
    logger.warn('Requests were still open at the end of the drain time and are cut.')
    built.publicListener.server.closeAllConnections()
  }, DRAIN_TIME)
  await built.publicListener.close()
  clearTimeout(overdue)
  await built.adminListener.close()
  try {
    await built.close()
  } catch (error) {
    logger.fatal(
      { err: error },
      `planegate stopped, but not everything was written: ${error instanceof Error ? error.message : String(error)}`,
    )
    return 1
  }
  logger.info('Stopped.')
  return 0
}

/** The first signal to stop. A later one ends the process at once, but not in the first moment: npm passes on what the terminal has sent already. */
function stopSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const heard = (signal: NodeJS.Signals) => {
      resolve(signal)
      setTimeout(() => {
        for (const name of STOP_SIGNALS) process.off(name, heard)
      }, SAME_STOP).unref()
    }
    for (const name of STOP_SIGNALS) process.on(name, heard)
  })
}

function addressOf({ server }: FastifyInstance): string {
  const { address, family, port } = server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

/** `PLANEGATE_LOG_LEVEL`, or `info`. An unknown level is `info` too: a typing mistake must not silence the log. */
function logLevel(): LogThreshold {
  return LEVELS.find((level) => level === process.env.PLANEGATE_LOG_LEVEL) ?? 'info'
}
