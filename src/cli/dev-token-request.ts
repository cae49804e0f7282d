import { randomUUID } from 'node:crypto'
import { parseDuration } from '../domain/duration.ts'
import type { DevelopmentClaims } from '../tokens/development-issuer.ts'
import { DEFAULT_CONFIG, parseVerbArguments, UsageError } from './arguments.ts'

/** What `planegate dev-token` asks for. */
export interface DevTokenRequest {
  readonly config: string
  readonly json: boolean
  readonly claims: DevelopmentClaims
  /** null: the gateway's own. */
  readonly audience: string | null
  /** Milliseconds. */
  readonly ttl: number
}

const OPTIONS = {
  sub: { type: 'string' },
  plane: { type: 'string' },
  scopes: { type: 'string' },
  roles: { type: 'string' },
  sid: { type: 'string' },
  ttl: { type: 'string' },
  audience: { type: 'string' },
  claims: { type: 'string' },
  config: { type: 'string' },
  json: { type: 'boolean' },
} as const

/** Reads and checks the command line. A human's token gets a session of its own unless `--sid` names one. Throws `UsageError`. */
export function parseDevTokenRequest(argv: readonly string[]): DevTokenRequest {
  const { values } = parseVerbArguments(argv, OPTIONS)
  const {
    sub,
    plane = 'human',
    scopes,
    roles,
    sid,
    ttl = '1h',
    audience = null,
    claims,
    config = DEFAULT_CONFIG,
    json = false,
  } = values
  if (sub === undefined || sub === '') throw new UsageError('--sub says who the token is for and is required, as in --sub alice')
  if (plane !== 'human' && plane !== 'machine') throw new UsageError('--plane must be human or machine')
  const lifetime = parseDuration(ttl)
  if (lifetime === null || lifetime === 0) throw new UsageError('--ttl must be a duration such as 1h')
  const session = sid ?? (plane === 'human' ? randomUUID() : undefined)
  return {
    config,
    json,
    audience,
    ttl: lifetime,
    claims: {
      sub,
      plane,
      ...(scopes !== undefined && { scope: listOf(scopes).join(' ') }),
      ...(roles !== undefined && { roles: listOf(roles) }),
      ...(session !== undefined && { sid: session }),
      ...extraClaims(claims),
    },
  }
}

function listOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((item) => item !== '')
}

function extraClaims(text: string | undefined): object {
  if (text === undefined) return {}
  const value = parseJson(text)
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new UsageError(`--claims must be one JSON object, as in --claims '{"team_id":"t1"}'`)
  }
  return value
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
