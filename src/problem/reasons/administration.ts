import type { Explanations } from './explanation.ts'

/** `request-malformed`: what the admin API cannot take. */
export const MALFORMED_ORDERS = {
  'fields-invalid': {
    means: 'A member of the body is missing, unknown or wrong, or there is a query; the admin API takes none.',
    remedy:
      '`errors` in the answer names each place and what must stand there; docs/admin-openapi.json describes every operation.',
  },
  'not-json': {
    means: 'A body for the admin API is not declared as JSON.',
    remedy: 'Send `Content-Type: application/json`; curl needs `-H` for it.',
  },
  'json-invalid': {
    means: 'A body for the admin API is not well-formed JSON, or has a member such as `__proto__`.',
    remedy: 'Check it with `jq .`; in a shell put single quotes around it.',
  },
  'path-invalid': {
    means: 'The path on the admin listener holds a `%` that is no escape of UTF-8.',
    remedy: 'Correct the path: docs/admin-api.md lists them all.',
  },
  'request-unreadable': {
    means: 'The admin listener could not read the request, for a reason of its HTTP library that has no word of its own.',
    remedy: 'Try the same with the curl commands of docs/admin-api.md; if they fail too, report it.',
  },
  'revocation-invalid': {
    means:
      'What is to be revoked, or its issuer, is empty, longer than 1024 characters or not valid Unicode; no token can hold it.',
    remedy: 'Copy the identifier again: the `sid`, `jti` or `sub` of the token, or the `credential.id` of an audit record.',
  },
} as const satisfies Explanations

/** `key-unknown`. */
export const UNKNOWN_KEYS = {
  'key-unknown': {
    means: 'The admin API was asked about an API key that the database does not have.',
    remedy: '`planegate keys list` or `GET /admin/v1/keys` shows all ids.',
  },
  'key-id-malformed': {
    means: 'What stands in the path is not the id of an API key: 16 letters and digits.',
    remedy:
      'Take the id, the third part of `pgk_ENV_ID_SECRET`. If a whole key was sent, shell histories and proxies may hold it now: `planegate keys rotate ID`.',
  },
} as const satisfies Explanations

/** `key-not-active`: why a key cannot be rotated. */
export const UNROTATABLE_KEYS = {
  'key-rotated': {
    means: 'The key has been rotated before, and has a successor.',
    remedy: 'Rotate the successor: `errors` in the answer and `planegate keys list` name it.',
  },
  'key-revoked': {
    means: 'The key is revoked.',
    remedy: 'Make a new one with `planegate keys create`.',
  },
  'key-expired': {
    means: 'The key is past its end, which a successor would share.',
    remedy: 'Make a new one with `planegate keys create`.',
  },
  'key-changed-meanwhile': {
    means: 'Somebody else rotated or revoked the key in the same moment. Nothing was done for this request.',
    remedy: 'Look at it with `planegate keys list` before trying again.',
  },
} as const satisfies Explanations

/** `audit-unavailable`. */
export const UNRECORDABLE = {
  'audit-log-unavailable': {
    means: 'Audit records cannot be written or too many wait, and `audit.onUnavailable` is `deny`, so nothing is served.',
    remedy:
      'Make room on the disk of `audit.directory`, or put the directory back; the log line "The audit log cannot be written." has the error. Do not restart: what waits would be lost. It recovers by itself.',
  },
  'change-not-recorded': {
    means:
      'An administrator changed something, and its audit record was not on disk within 5 s. The change stays, and its record follows.',
    remedy:
      'Mend the audit log as for `audit-log-unavailable`. `errors` in the answer says what was made; a key made like this was not shown: revoke it.',
  },
} as const satisfies Explanations

/** Of records without a refusal, or beside one: what else there is to say of a request. */
export const UNREFUSED = {
  'cors-preflight': {
    means: 'The gateway answered a preflight of a browser with yes, by itself; no upstream was asked and nobody verified.',
    remedy: 'Nothing. docs/cors.md explains it.',
  },
  'client-disconnected': {
    means: 'The client hung up before there was an answer (status 499). With a code: it would have been refused for that.',
    remedy:
      'Nothing for one. Many at once: the upstream takes longer than clients wait, see `planegate_upstream_duration_seconds`.',
  },
} as const satisfies Explanations
