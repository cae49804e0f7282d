import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteDialect,
  type SqliteDialectConfig,
  SqliteDriver,
} from 'kysely'
import { whenFree } from './sqlite-busy.ts'

/**
 * Kysely over `node:sqlite`. Differs from the stock dialect in three things: transactions begin as writers, schema changes run inside one, and
 * waiting for a lock does not stop the process.
 */
export function nodeSqliteDialect(connection: DatabaseSync): Dialect {
  return new NodeSqliteDialect(connection)
}

class NodeSqliteDialect extends SqliteDialect {
  readonly #connection: DatabaseSync

  constructor(connection: DatabaseSync) {
    super({ database: new KyselyConnection(connection) })
    this.#connection = connection
  }

  override createDriver(): Driver {
    return new WritingDriver(this.#connection)
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter()
  }
}

/**
 * A plain `BEGIN` takes the write lock only at its first write, and when another process wrote since the first read that fails for good.
 * Taking the lock first can wait for its turn, and makes two processes that migrate one database do so one after the other.
 */
class WritingDriver extends SqliteDriver {
  readonly #connection: DatabaseSync

  constructor(connection: DatabaseSync) {
    super({ database: new KyselyConnection(connection) })
    this.#connection = connection
  }

  override async acquireConnection(): Promise<DatabaseConnection> {
    return new WaitingConnection(await super.acquireConnection())
  }

  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  /** Some errors, a full disk among them, have rolled back by themselves (sqlite.org/lang_transaction.html); a second time would fail and hide them. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#connection.isTransaction) await super.rollbackTransaction(connection)
  }
}

/** Waits for locks without stopping the process. Inside a transaction, which has the lock, there is nothing to wait for. */
class WaitingConnection implements DatabaseConnection {
  readonly #inner: DatabaseConnection

  constructor(inner: DatabaseConnection) {
    this.#inner = inner
  }

  executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
    return whenFree(async () => this.#inner.executeQuery<Row>(query))
  }

  streamQuery<Row>(query: CompiledQuery, chunkSize?: number): AsyncIterableIterator<QueryResult<Row>> {
    return this.#inner.streamQuery<Row>(query, chunkSize)
  }
}

/** SQLite rolls back schema changes like any others. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true
  }
}

type SqliteConnection = Exclude<SqliteDialectConfig['database'], () => unknown>
type SqliteStatement = ReturnType<SqliteConnection['prepare']>

class KyselyConnection implements SqliteConnection {
  readonly #connection: DatabaseSync

  constructor(connection: DatabaseSync) {
    this.#connection = connection
  }

  prepare(sql: string): SqliteStatement {
    const statement = this.#connection.prepare(sql)
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => statement.all(...parameters.map(bindable)),
      run: (parameters) => statement.run(...parameters.map(bindable)),
      iterate: (parameters) => statement.iterate(...parameters.map(bindable)),
    }
  }

  close(): void {
    if (this.#connection.isOpen) this.#connection.close()
  }
}

function bindable(value: unknown): SQLInputValue {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value
  if (value instanceof Uint8Array) return value
  throw new TypeError(`a ${typeof value} cannot be stored`)
}
