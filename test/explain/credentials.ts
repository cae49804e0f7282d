import { loadGateway } from '../../src/config/load.ts'
import { keyEnvironment, mintApiKey } from '../../src/stores/api-keys/format.ts'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { revocationRegistry } from '../../src/stores/sql/revocation-registry.ts'
import { sqlCredentialStore } from '../../src/stores/sql/sql-credential-store.ts'
import { type DevelopmentIssuer, developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'

const clock = { now: Date.now, monotonic: () => performance.now() }

/** What a test presents: tokens by `issuer`, API keys, and some of both that were withdrawn. */
export interface Presentable {
  readonly issuer: DevelopmentIssuer
  readonly key: string
  readonly expiredKey: string
  readonly revokedKey: string
  /** Usable from 192.0.2.0/24 only. */
  readonly distantKey: string
  readonly unknownKey: string
}

/** Fills the database of a configuration, and closes it: keys, and revocations of the session `gone` and of the token `gone`. */
export async function presentable(file: string): Promise<Presentable> {
  const loaded = loadGateway(file, { now: 0 })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.mistakes))
  const { gateway } = loaded
  const db = await openDatabase(gateway.stores.database)
  const store = sqlCredentialStore(db, { clock })
  const create = async (change: { cidrs?: string[]; expiresAt?: number; revokedAt?: number } = {}): Promise<string> => {
    const { id, key, digest } = mintApiKey(keyEnvironment(gateway.environment))
    const common = { id, digest, owner: 'acme', scopes: ['things:read'], cidrs: [], createdAt: 1, replacedBy: null }
    await store.createApiKey({ ...common, expiresAt: null, revokedAt: null, ...change }, 'test')
    return key
  }
  const keys = {
    key: await create(),
    expiredKey: await create({ expiresAt: 1_000 }),
    revokedKey: await create({ revokedAt: 1_000 }),
    distantKey: await create({ cidrs: ['192.0.2.0/24'] }),
    unknownKey: mintApiKey('dev').key,
  }
  const registry = revocationRegistry(db.kysely, { clock, retention: gateway.revocation.retention, watch: null })
  await registry.revoke({ kind: 'session', issuer: null, session: 'gone' }, 'test')
  await registry.revoke({ kind: 'token', issuer: null, tokenId: 'gone' }, 'test')
  store.close()
  await db.close()
  return { issuer: openDevelopmentIssuer(developmentIssuerOptions(gateway)), ...keys }
}
