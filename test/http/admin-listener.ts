import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { keyDesk } from '../../src/admin/key-desk.ts'
import type { RecordedRevocation } from '../../src/domain/revocation.ts'
import { Secret } from '../../src/domain/secret.ts'
import { createAdminListener } from '../../src/http/admin.ts'
import type { AdminApiOptions } from '../../src/http/admin-api/admin-api.ts'
import { Readiness } from '../../src/http/readiness.ts'
import type { RevocationRegistry } from '../../src/ports/revocation-registry.ts'
import type { Refusal } from '../../src/problem/refusal.ts'
import { mintApiKey } from '../../src/stores/api-keys/format.ts'
import { isNetwork } from '../../src/stores/api-keys/networks.ts'
import { GcraLimiter } from '../../src/stores/memory/gcra-limiter.ts'
import { createLogger } from '../../src/telemetry/logger.ts'
import { fakeClock, openStore } from '../stores/api-key-fixtures.ts'

export const TOKEN = 'admin-token-of-this-test-0123456789'
export const NOW = 1_750_000_000_000

/** How a test calls the API: with the right token unless it says otherwise. */
export interface Call {
  readonly token?: string | null
  readonly body?: unknown
  /** Sent as it is, in the place of `body`. */
  readonly text?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: tests read members of any answer
  readonly json: any
}

/** A listening admin listener over a real SQLite store, at a time that the test moves. */
export async function adminListener(test: TestContext, overrides: Partial<AdminApiOptions> & { readonly off?: true } = {}) {
  const clock = fakeClock(NOW)
  const { store } = await openStore(test, { clock })
  const revoked: RecordedRevocation[] = []
  const refusals: Refusal[] = []
  const log: string[] = []
  const logger = createLogger({ level: 'trace', stream: { write: (line: string) => void log.push(line) } })
  const api: AdminApiOptions = {
    token: new Secret(TOKEN),
    keys: keyDesk({ store, clock, mint: () => mintApiKey('dev') }),
    revocations: keptIn(revoked),
    settled: async () => {},
    limiter: new GcraLimiter(clock),
    clock,
    isNetwork,
    ...overrides,
  }
  const fastify = createAdminListener({
    logger: logger as never,
    readiness: new Readiness(),
    renderMetrics: async () => ({ contentType: 'text/plain', body: '' }),
    providerStatus: null,
    api: overrides.off === true ? null : api,
    observe: (refusal) => void refusals.push(refusal),
  })
  await fastify.listen({ host: '127.0.0.1', port: 0 })
  test.after(() => fastify.close())
  const { port } = fastify.server.address() as AddressInfo

  async function call(method: string, path: string, { token = TOKEN, body, text, headers = {} }: Call = {}): Promise<Answer> {
    const sent = text ?? (body === undefined ? undefined : JSON.stringify(body))
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      headers: {
        ...(token !== null && { authorization: `Bearer ${token}` }),
        ...(sent !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(sent !== undefined && { body: sent }),
    })
    const answered = await response.text()
    return {
      status: response.status,
      headers: response.headers,
      text: answered,
      json: answered === '' ? null : JSON.parse(answered),
    }
  }

  return { call, clock, store, revoked, refusals, log, port, api }
}

/** Revocations as a list; what the stores do with them is tested there. */
function keptIn(kept: RecordedRevocation[]): RevocationRegistry {
  return {
    async revoke(revocation, by) {
      const recorded = { id: `revocation-${kept.length + 1}`, revocation, at: NOW, until: NOW + 3_600_000, by }
      kept.unshift(recorded)
      return recorded
    },
    listRevocations: async () => [...kept],
  }
}
