import { revocationFacts } from '../admin/revocation-facts.ts'
import { redactCredentials } from '../domain/credential-shape.ts'
import type { RecordedRevocation, Revocation } from '../domain/revocation.ts'
import { timeText } from '../domain/timestamp.ts'
import type { Clock } from '../ports/clock.ts'
import { Refusal } from '../problem/refusal.ts'
import { openDatabase } from '../stores/sql/open-database.ts'
import { revocationRegistry } from '../stores/sql/revocation-registry.ts'
import { DEFAULT_CONFIG, parseVerbArguments, UsageError, type VerbIo } from './arguments.ts'
import { commandActor } from './command-actor.ts'
import { failureText } from './command-failure.ts'
import { type ConfiguredRevocations, configuredRevocations } from './configured-database.ts'
import { givenValue } from './given-value.ts'

/** What the verb takes from outside. */
export interface SessionsWorld {
  configured(file: string): ConfiguredRevocations
  readonly clock: Clock
  /** All of standard input; absent: that of the process. */
  readonly readInput?: () => string
}

interface SessionsRequest {
  readonly config: string
  readonly json: boolean
  readonly kind: 'session' | 'token' | 'subject'
  readonly value: string
  /** null: every issuer. */
  readonly issuer: string | null
}

const OPTIONS = {
  config: { type: 'string', default: DEFAULT_CONFIG },
  json: { type: 'boolean', default: false },
  sid: { type: 'string' },
  jti: { type: 'string' },
  subject: { type: 'string' },
  issuer: { type: 'string' },
} as const

const KINDS = { sid: 'session', jti: 'token', subject: 'subject' } as const

const WORLD: SessionsWorld = {
  configured: configuredRevocations,
  clock: { now: () => Date.now(), monotonic: () => performance.now() },
}

/** `planegate sessions revoke`. Gives the exit code: 0 done, 1 refused or failed, 2 wrong usage. */
export async function sessions(argv: readonly string[], io: VerbIo, world: SessionsWorld = WORLD): Promise<number> {
  try {
    const request = parseRequest(argv, world)
    const configured = world.configured(request.config)
    const recorded = await revoke(request, configured, world.clock)
    if (request.issuer !== null && !configured.issuers.includes(request.issuer))
      io.err('planegate sessions: no declared provider has this issuer; check its spelling\n')
    io.out(request.json ? `${JSON.stringify(revocationFacts(recorded))}\n` : described(recorded))
    return 0
  } catch (error) {
    const usage = usageOf(error)
    io.err(`planegate sessions: ${usage ?? failureText(error)}\n`)
    return usage === null ? 1 : 2
  }
}

async function revoke(
  { kind, issuer, value }: SessionsRequest,
  { database, retention }: ConfiguredRevocations,
  clock: Clock,
): Promise<RecordedRevocation> {
  const db = await openDatabase(database)
  try {
    const registry = revocationRegistry(db.kysely, { clock, retention, watch: null })
    return await registry.revoke(meant(kind, issuer, value, clock.now()), commandActor())
  } finally {
    await db.close()
  }
}

function meant(kind: SessionsRequest['kind'], issuer: string | null, value: string, now: number): Revocation {
  switch (kind) {
    case 'session':
      return { kind, issuer, session: value }
    case 'token':
      return { kind, issuer, tokenId: value }
    case 'subject':
      return { kind, issuer, subject: value, issuedUpTo: Math.floor(now / 1000) }
  }
}

function parseRequest([verb, ...args]: readonly string[], { readInput }: SessionsWorld): SessionsRequest {
  if (verb !== 'revoke') throw new UsageError('sessions takes: revoke --sid S | --jti J | --subject S [--issuer I]')
  const { config, json, issuer, ...values } = parseVerbArguments(args, OPTIONS).values
  const named = (['sid', 'jti', 'subject'] as const).filter((name) => values[name] !== undefined)
  const [name] = named
  if (name === undefined || named.length > 1)
    throw new UsageError('sessions revoke takes exactly one of --sid, --jti and --subject')
  if (values[name] === '-' && issuer === '-') throw new UsageError('only one value can come from standard input')
  const value = givenValue(`--${name}`, values[name] ?? '', readInput)
  if (redactCredentials(value) !== value) throw new UsageError(`--${name} takes an identifier, and never a token or key itself`)
  return {
    config,
    json,
    kind: KINDS[name],
    value,
    issuer: issuer === undefined ? null : givenValue('--issuer', issuer, readInput),
  }
}

/** What was wrong with the command line, or null. */
function usageOf(error: unknown): string | null {
  if (error instanceof UsageError) return error.message
  const unusable = error instanceof Refusal && error.reason === 'revocation-invalid'
  return unusable ? 'an identifier or issuer has at most 1024 characters of valid Unicode' : null
}

function described({ revocation, until }: RecordedRevocation): string {
  const lines = [
    `Revoked: ${subjectMatter(revocation)}.`,
    `A running gateway follows within 250 ms. Forgotten after ${timeText(until)}.`,
  ]
  return `${lines.join('\n')}\n`
}

function subjectMatter(revocation: Revocation): string {
  switch (revocation.kind) {
    case 'session':
      return `session ${JSON.stringify(revocation.session)} of ${issuerText(revocation.issuer)}`
    case 'token':
      return `token ${JSON.stringify(revocation.tokenId)} of ${issuerText(revocation.issuer)}`
    case 'subject':
      return `tokens of ${JSON.stringify(revocation.subject)} of ${issuerText(revocation.issuer)}, issued up to ${timeText(revocation.issuedUpTo * 1000)} or who knows when`
    case 'credential':
      return `credential ${revocation.credentialId}`
  }
}

function issuerText(issuer: string | null): string {
  return issuer === null ? 'every issuer' : JSON.stringify(issuer)
}
