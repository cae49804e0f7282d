import {
  DENIED_BY_POLICY,
  KEYS_AT_ADMINS,
  MISSING_SCOPES,
  NO_ROUTES,
  OTHER_METHODS,
  PLANE_MISMATCHES,
  TOKENS_AT_WORKERS,
} from './reasons/access.ts'
import { MALFORMED_ORDERS, UNKNOWN_KEYS, UNRECORDABLE, UNREFUSED, UNROTATABLE_KEYS } from './reasons/administration.ts'
import { LARGE_BODIES, LARGE_HEADERS, LATE_REQUESTS, USED_UP_LIMITS } from './reasons/bounds.ts'
import { REFUSED_CLAIMS } from './reasons/claims.ts'
import { AMBIGUOUS_CREDENTIALS, INVALID_API_KEYS, INVALID_CREDENTIALS, MISSING_CREDENTIALS } from './reasons/credentials.ts'
import { UNAVAILABLE_LIMITS, UNAVAILABLE_REVOCATIONS, UNAVAILABLE_STORES } from './reasons/databases.ts'
import type { Explanation, Explanations } from './reasons/explanation.ts'
import { UNAVAILABLE_KEYS } from './reasons/keys-unavailable.ts'
import { AMBIGUOUS_PATHS } from './reasons/paths.ts'
import { MALFORMED_HEADS, MALFORMED_UPGRADES } from './reasons/requests.ts'
import { UNREADABLE_TOKENS, UNVERIFIED_TOKENS } from './reasons/tokens.ts'
import { FAULTS, INVALID_UPSTREAMS, LATE_UPSTREAMS, OVERLOADS, UNREACHABLE_UPSTREAMS } from './reasons/upstreams.ts'
import type { RefusalCode } from './refusals.ts'

/** Every reason behind every code, for operators: a closed set. What is not here cannot be given. `docs/reasons.md` is generated from it. */
export const REASONS = {
  'request-malformed': { ...MALFORMED_HEADS, ...MALFORMED_UPGRADES, ...MALFORMED_ORDERS },
  'path-ambiguous': AMBIGUOUS_PATHS,
  'credential-ambiguous': AMBIGUOUS_CREDENTIALS,
  'credential-missing': MISSING_CREDENTIALS,
  'credential-invalid': {
    ...INVALID_CREDENTIALS,
    ...INVALID_API_KEYS,
    ...UNREADABLE_TOKENS,
    ...UNVERIFIED_TOKENS,
    ...REFUSED_CLAIMS,
  },
  'plane-mismatch': PLANE_MISMATCHES,
  'worker-refuses-jwt': TOKENS_AT_WORKERS,
  'admin-refuses-api-key': KEYS_AT_ADMINS,
  'scope-insufficient': MISSING_SCOPES,
  'policy-denied': DENIED_BY_POLICY,
  'route-unknown': NO_ROUTES,
  'key-unknown': UNKNOWN_KEYS,
  'method-not-allowed': OTHER_METHODS,
  'request-timeout': LATE_REQUESTS,
  'key-not-active': UNROTATABLE_KEYS,
  'body-too-large': LARGE_BODIES,
  'rate-limited': USED_UP_LIMITS,
  'headers-too-large': LARGE_HEADERS,
  internal: FAULTS,
  'upstream-unreachable': UNREACHABLE_UPSTREAMS,
  'upstream-invalid': INVALID_UPSTREAMS,
  'keys-unavailable': UNAVAILABLE_KEYS,
  'revocation-unavailable': UNAVAILABLE_REVOCATIONS,
  'limiter-unavailable': UNAVAILABLE_LIMITS,
  'store-unavailable': UNAVAILABLE_STORES,
  'audit-unavailable': UNRECORDABLE,
  'upstream-open': {},
  overloaded: OVERLOADS,
  'upstream-timeout': LATE_UPSTREAMS,
} as const satisfies Record<RefusalCode, Explanations>

/** Codes that no reason leads to, and why they are there all the same. */
export const NEVER_GIVEN: Readonly<Partial<Record<RefusalCode, string>>> = {
  'upstream-open': 'Never given by this version: it is reserved for a circuit breaker.',
}

type ReasonsByCode = { readonly [Code in RefusalCode]: keyof (typeof REASONS)[Code] }

/** The reasons that a code can be given for. */
export type ReasonOf<Code extends RefusalCode> = ReasonsByCode[Code]

/** A code with one of its own reasons. */
export type Ground<Code extends RefusalCode = RefusalCode> = {
  readonly [C in Code]: { readonly code: C; readonly reason: ReasonOf<C> }
}[Code]

/** What a record says of a request beyond its refusal, or without one. */
export type UnrefusedReason = keyof typeof UNREFUSED

/** What is known of a reason as it stands in a log line or record, `code` null where nothing was refused; null: this version gives no such reason. */
export function reasonOf(code: string | null, reason: string): Explanation | null {
  return rowOf(code === null ? {} : (rowOf<Explanations>(REASONS, code) ?? {}), reason) ?? rowOf(UNREFUSED, reason)
}

/** Only what a table itself holds: the text comes from a file and may be `constructor`. */
function rowOf<Row>(table: Readonly<Record<string, Row>>, name: string): Row | null {
  return Object.hasOwn(table, name) ? (table[name] ?? null) : null
}
