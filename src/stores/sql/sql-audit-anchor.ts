import type { Kysely } from 'kysely'
import { type CheckpointHead, checkpointHead, goesBeyond } from '../../domain/checkpoint-head.ts'
import type { AuditAnchor } from '../../ports/audit-anchor.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from './open-database.ts'
import { storeFailure } from './store-failure.ts'
import type { Tables } from './tables.ts'

/** The newest checkpoint of each audit log as a row of the database, in queries that every dialect understands. */
export function databaseAnchor({ kysely: db }: Pick<Database, 'kysely'>, clock: Clock): AuditAnchor {
  return {
    place: 'the database (table audit_anchor)',
    async put(note, origin) {
      const offered = checkpointHead(note)
      if (offered?.origin !== origin) throw new Error(`What was to be kept in the database is no checkpoint of ${origin}.`)
      if (await asked(write(db, offered, note, clock.now()))) return
      const kept = checkpointHead((await asked(read(db, origin))) ?? '')
      if (kept?.origin !== origin || goesBeyond(offered, kept)) throw unreadable(origin)
    },
    async latest(origin) {
      const note = await asked(read(db, origin))
      if (note !== null && checkpointHead(note)?.origin !== origin) throw unreadable(origin)
      return note
    },
  }
}

/**
 * One statement, so that of two processes the one with the longer log wins. False: what is there covers as many lines, or more.
 */
async function write(db: Kysely<Tables>, { origin, size }: CheckpointHead, note: string, now: number): Promise<boolean> {
  const row = { size, note, updated_at: now }
  const written = await db
    .insertInto('audit_anchor')
    .values({ origin, ...row })
    .onConflict((conflict) => conflict.column('origin').doUpdateSet(row).where('audit_anchor.size', '<', size))
    .returning('origin')
    .executeTakeFirst()
  return written !== undefined
}

async function read(db: Kysely<Tables>, origin: string): Promise<string | null> {
  const row = await db.selectFrom('audit_anchor').select('note').where('origin', '=', origin).executeTakeFirst()
  return row?.note ?? null
}

async function asked<T>(answer: Promise<T>): Promise<T> {
  return answer.catch((cause: unknown) => {
    throw new Error(`The database cannot be used to keep checkpoints: ${storeFailure(cause).reason}.`, { cause })
  })
}

function unreadable(origin: string): Error {
  return new Error(`What the database keeps in audit_anchor for ${origin} is no checkpoint of it.`)
}
