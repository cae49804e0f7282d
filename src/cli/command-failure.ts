import { Refusal } from '../problem/refusal.ts'
import { DatabaseUnusable } from '../stores/sql/database-unusable.ts'

/** A verb could not do what was asked: exit 1. The message is a sentence for the operator and holds no secret. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure'
}

/** What to print of an error that a verb ended with. */
export function failureText(error: unknown): string {
  if (error instanceof CommandFailure || error instanceof DatabaseUnusable) return error.message
  if (error instanceof Refusal) {
    const { cause } = error.details
    return `the database cannot be used (${error.reason})${cause instanceof Error ? `: ${cause.message}` : ''}`
  }
  return `unexpected error: ${error instanceof Error ? error.message : String(error)}`
}
