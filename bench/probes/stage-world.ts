import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Fastify from 'fastify'
import { openAudit } from '../../src/composition/audit.ts'
import { addressLimitsOf, pipelineOf } from '../../src/composition/pipeline.ts'
import { metricsOf } from '../../src/composition/records.ts'
import { trustIn } from '../../src/composition/trust.ts'
import { loadGateway } from '../../src/config/load.ts'
import { addressLimiter } from '../../src/http/address-limiter.ts'
import type { Pipeline } from '../../src/pipeline/pipeline.ts'
import { apiKeyVerifier } from '../../src/stores/api-keys/api-key-verifier.ts'
import { GcraLimiter } from '../../src/stores/memory/gcra-limiter.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { openAdministration } from '../../src/stores/sql/sql-administration.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { loadIdentityKeys } from '../../src/tokens/identity-keys.ts'
import { seed } from '../contestants/planegate-data.ts'
import { writeConfiguration } from '../contestants/planegate-files.ts'
import { type Issuer, openIssuer } from '../contestants/tokens.ts'

/** The pipeline of a gateway that serves, with its real parts and no listener. */
export interface StageWorld {
  readonly pipeline: Pipeline
  readonly issuer: Issuer
  readonly apiKey: string
  close(): Promise<void>
}

/** Put together as the gateway puts itself together, from a configuration on disk. */
export async function openStageWorld(): Promise<StageWorld> {
  const folder = mkdtempSync(join(tmpdir(), 'planegate-bench-'))
  const issuer = openIssuer(folder, 'ES256')
  const files = writeConfiguration(folder, { issuer, upstream: 'http://127.0.0.1:9' })
  const [apiKey = ''] = await seed(files.database, { revocations: 10, apiKeys: 10 })
  const loaded = loadGateway(files.config)
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes))
  const { gateway } = loaded
  const clock = { now: () => Date.now(), monotonic: () => performance.now() }
  const logger = createLogger({ level: 'warn' })
  const metrics = metricsOf(gateway, gateway.providers)
  const database = await openDatabase(gateway.stores.database)
  const audit = await openAudit(gateway, null, database, clock, metrics, logger)
  const events = { failed: (error: unknown) => logger.error({ err: error }, 'failed'), restored: () => {} }
  const administration = await openAdministration(database, { clock, auditLog: audit, revocation: gateway.revocation, events })
  const trust = trustIn(gateway.providers, clock, metrics, gateway.revocation.retention)
  await trust.watch.start()
  const limiter = new GcraLimiter(clock)
  const pipeline = pipelineOf(gateway, {
    clock,
    identityKeys: loadIdentityKeys(gateway.identity),
    issuers: gateway.providers.map((provider) => provider.issuer),
    endpoints: [],
    revocations: administration.revocations,
    addressLimiter: await addressLimiter(Fastify(), limiter, addressLimitsOf(gateway)),
    limiter,
    failureLimiter: limiter,
    verifiers: {
      jwt: trust.tokens,
      'api-key': apiKeyVerifier({ store: administration.credentials, environment: gateway.environment, clock }),
    },
    auditLog: audit,
    meter: metrics,
  })
  return {
    pipeline,
    issuer,
    apiKey,
    async close() {
      trust.close()
      await administration.close()
      await audit.close()
      await database.close()
      metrics.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
