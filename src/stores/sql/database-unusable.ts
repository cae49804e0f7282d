/** Why a database cannot be used at all. */
export type DatabaseFault = 'url-unsupported' | 'cannot-open' | 'schema-behind' | 'schema-newer' | 'migration-failed'

/** Found when a database is opened or its schema changed. The message is a sentence for the operator and holds no data. */
export class DatabaseUnusable extends Error {
  override readonly name = 'DatabaseUnusable'
  readonly fault: DatabaseFault

  constructor(fault: DatabaseFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.fault = fault
  }
}
