import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openDatabase } from '../../src/stores/sql/open-database.ts'
import { sqlCredentialStore } from '../../src/stores/sql/sql-credential-store.ts'
import { credentialStoreContract } from '../contracts/credential-store.ts'
import { realClock } from './api-key-fixtures.ts'

credentialStoreContract('SQLite', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'planegate-'))
  return {
    async open() {
      const db = await openDatabase({ url: `sqlite:${folder}/planegate.db`, migrate: 'auto' })
      const store = sqlCredentialStore(db, { clock: realClock })
      return {
        ...store,
        async close() {
          store.close()
          await db.close()
        },
      }
    },
    dispose: () => rm(folder, { recursive: true, force: true }),
  }
})
