/**
 * A place outside the directory of the audit log that keeps its newest signed checkpoint: whoever can write the directory and
 * holds the key can make another log that verifies, but not one that agrees with what is kept there.
 */
export interface AuditAnchor {
  /** Where, in words for operators. */
  readonly place: string
  /**
   * Keeps a checkpoint of the log that `origin` names. Rejects when it could not, and when it takes something back; the next one
   * is offered then. A place that only grows may leave one out that comes soon after another, unless it is the `last` before a
   * stop.
   */
  put(note: string, origin: string, last?: boolean): Promise<void>
  /** The newest checkpoint kept for that log; null: none, or the place can only be written. Rejects when it cannot tell. */
  latest(origin: string): Promise<string | null>
}
