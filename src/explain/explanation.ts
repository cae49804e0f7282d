import type { DecisionRecord } from '../domain/decision-record.ts'
import { Adjudication } from '../pipeline/adjudicate.ts'
import type { Granted } from '../pipeline/stages/vouch.ts'
import { reasonOf } from '../problem/reasons.ts'
import { Refusal } from '../problem/refusal.ts'
import type { RenderedRefusal } from '../problem/render.ts'
import { type Row, sameForAll } from './row.ts'
import type { Step, World } from './step.ts'
import { stepsOf } from './steps.ts'
import { type Trace, trace } from './trace.ts'

/** What was decided about one request and why, by the names of the audit record. */
export interface Explanation
  extends Pick<DecisionRecord, 'decision' | 'code' | 'reason' | 'route' | 'plane' | 'actor' | 'method' | 'path'> {
  /** null: the upstream's to say. */
  readonly status: number | null
  /** What the reason means, and what to do about it; null: there is none. */
  readonly means: string | null
  readonly remedy: string | null
  /** What decided, `file:line`; null: what holds everywhere. */
  readonly rule: string | null
  /** As the request brought it; absent: the gateway would make one. */
  readonly requestId?: string
  /** What a refusal says to the client beside its status; empty when allowed. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>
  readonly steps: readonly Step[]
  readonly row: Row
  readonly notes: readonly string[]
}

/** What the listener would do with a request that was granted: its status where it answers by itself, or a refusal all the same. */
export interface Aftermath {
  readonly status: number | null
  readonly refusal: Refusal | null
}

export interface Explaining {
  readonly world: World
  afterwards(granted: Granted): Aftermath
  /** What others would get for the same method and path; null: it has none. */
  rowOf(explained: Trace): Promise<Row | null>
  notesOn(explained: Trace): readonly string[]
}

/** Decides as the gateway does, and says why. `inbound` must hold no other request's bytes; nothing is written down or counted by this. */
export async function explain(inbound: Trace['inbound'], { world, ...explaining }: Explaining): Promise<Explanation> {
  const explained = await trace(inbound, world.pipeline)
  const { outcome } = explained
  const aftermath = outcome instanceof Refusal ? null : explaining.afterwards(outcome)
  const { record, rendered } = answerOf(explained, aftermath, world)
  const steps = stepsOf(explained, aftermath?.refusal ?? null, world)
  const known = record.reason === null ? null : reasonOf(record.code, record.reason)
  const { decision, code, reason, route, plane, actor, method, path } = record
  return {
    decision,
    code,
    status: rendered === null ? (aftermath?.status ?? null) : rendered.status,
    reason,
    means: known?.means ?? null,
    remedy: known?.remedy ?? null,
    route,
    plane,
    actor,
    rule: decision === 'deny' ? (steps.find(({ verdict }) => verdict === 'refused')?.rule ?? null) : ruleOf(explained),
    method,
    path,
    ...requestIdOf(explained),
    headers: rendered === null ? {} : tellingHeaders(rendered),
    steps,
    row: (await explaining.rowOf(explained)) ?? sameForAll(code ?? 'allow'),
    notes: explaining.notesOn(explained),
  }
}

/** The record that the gateway would write, and the answer that it would give; kept from the log by a log that keeps only this one. */
function answerOf({ outcome, evidence }: Trace, aftermath: Aftermath | null, { pipeline }: World) {
  const records: DecisionRecord[] = []
  const auditLog = { ...pipeline.auditLog, append: (record: DecisionRecord) => void records.push(record) }
  const adjudication = new Adjudication(outcome, evidence, { ...pipeline, auditLog }, () => {})
  let rendered: RenderedRefusal | null = null
  if (aftermath === null || aftermath.refusal !== null) rendered = adjudication.refuse(aftermath?.refusal)
  else adjudication.answered(aftermath.status ?? 0)
  const [record] = records
  if (record === undefined) throw new Error('a decision left no record')
  return { record, rendered }
}

function ruleOf({ evidence }: Trace): string | null {
  return evidence.route?.source ?? null
}

function requestIdOf({ inbound }: Trace): { requestId?: string } {
  const { requestId, rawHeaders } = inbound
  return rawHeaders.includes(requestId) ? { requestId } : {}
}

/** Those that say something about the decision; the id is a new one each time. */
function tellingHeaders({ headers }: RenderedRefusal): Explanation['headers'] {
  const dull = new Set(['content-type', 'content-length', 'cache-control', 'x-content-type-options', 'x-request-id'])
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !dull.has(name)))
}
