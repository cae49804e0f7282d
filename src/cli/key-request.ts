import { DEFAULT_OVERLAP, LONGEST_LIFETIME } from '../admin/key-desk.ts'
import { parseDuration } from '../domain/duration.ts'
import { isOwner, isScope } from '../domain/key-fields.ts'
import { isNetwork } from '../stores/api-keys/networks.ts'
import { DEFAULT_CONFIG, parseVerbArguments, UsageError } from './arguments.ts'

/** What `planegate keys …` asks for. Durations in milliseconds. */
export type KeyRequest = { readonly config: string; readonly json: boolean } & (
  | {
      readonly verb: 'create'
      readonly owner: string
      readonly scopes: readonly string[]
      readonly cidrs: readonly string[]
      /** null: without end. */
      readonly lifetime: number | null
    }
  | { readonly verb: 'list' }
  | { readonly verb: 'rotate'; readonly id: string; readonly overlap: number }
  | { readonly verb: 'revoke'; readonly id: string }
)

const USAGE =
  'keys takes one of: create --owner O [--scopes a,b] [--expires 90d] [--cidr C], list, rotate ID [--overlap 24h], revoke ID'

const COMMON = { config: { type: 'string', default: DEFAULT_CONFIG }, json: { type: 'boolean', default: false } } as const
const CREATE = {
  ...COMMON,
  owner: { type: 'string', default: '' },
  scopes: { type: 'string' },
  expires: { type: 'string' },
  cidr: { type: 'string', multiple: true },
} as const
const ROTATE = { ...COMMON, overlap: { type: 'string', default: DEFAULT_OVERLAP } } as const

/** Reads and checks the whole command line. Throws `UsageError`. */
export function parseKeyRequest(argv: readonly string[]): KeyRequest {
  const [verb, ...args] = argv
  switch (verb) {
    case 'create':
      return createRequest(args)
    case 'list':
      return { verb, ...parseVerbArguments(args, COMMON).values }
    case 'rotate': {
      const { values, positionals } = parseVerbArguments(args, ROTATE, 1)
      const { config, json, overlap } = values
      return { verb, config, json, id: idOf(positionals), overlap: durationOf('--overlap', overlap, 0) }
    }
    case 'revoke': {
      const { values, positionals } = parseVerbArguments(args, COMMON, 1)
      return { verb, ...values, id: idOf(positionals) }
    }
    default:
      throw new UsageError(USAGE)
  }
}

function createRequest(args: readonly string[]): KeyRequest {
  const { config, json, owner, scopes: list, expires, cidr } = parseVerbArguments(args, CREATE).values
  if (!isOwner(owner)) {
    throw new UsageError('--owner must name the owner in 1 to 256 printable characters, without spaces at its ends')
  }
  const scopes = [...new Set(list?.split(',') ?? [])]
  if (!scopes.every(isScope)) {
    throw new UsageError(
      '--scopes must be scopes separated by commas, each of printable ASCII without spaces, quotes or backslashes',
    )
  }
  const cidrs = [...new Set(cidr ?? [])]
  if (!cidrs.every(isNetwork)) throw new UsageError('--cidr must be a network such as 10.0.0.0/8 or 2001:db8::/32')
  return {
    verb: 'create',
    config,
    json,
    owner,
    scopes,
    cidrs,
    lifetime: expires === undefined ? null : durationOf('--expires', expires, 1),
  }
}

/** An id that no key can have is left to the store, which does not know it. A key, whole or in part, is a secret and must not be repeated. */
function idOf([id]: readonly string[]): string {
  if (id === undefined || id === '') throw new UsageError('this verb takes the ID of a key, as "keys list" shows it')
  if (!/^[0-9A-Za-z]{1,32}$/.test(id))
    throw new UsageError('this verb takes the ID of a key, as "keys list" shows it, and never the key itself')
  return id
}

function durationOf(option: string, written: string, least: number): number {
  const ms = parseDuration(written)
  if (ms === null || ms < least || ms > LONGEST_LIFETIME)
    throw new UsageError(`${option} must be a duration such as 90d or 24h, at most 36500d`)
  return ms
}
