import type { Explanations } from './explanation.ts'

/** `credential-ambiguous`. */
export const AMBIGUOUS_CREDENTIALS = {
  'several-credentials': {
    means: 'The request carries more than one credential, counted over headers in any spelling and the query (I1).',
    remedy:
      'Make the client send one. Often a default header of its HTTP library brings a second one along, or a proxy adds its own `Authorization`.',
  },
  'credential-in-path': {
    means: 'The path holds an API key, or a token of a declared issuer.',
    remedy:
      'Make the client send it in its header. Logs of proxies before the gateway may hold it now: `planegate keys rotate ID`, or `planegate sessions revoke`.',
  },
  'authorization-repeated': {
    means: 'A request to the admin API has more than one `Authorization`.',
    remedy: 'Send exactly one, `Bearer` and the admin token.',
  },
} as const satisfies Explanations

/** `credential-missing`. */
export const MISSING_CREDENTIALS = {
  'nothing-presented': {
    means: 'The route asks for a credential, and the request has none.',
    remedy:
      'The client must present one. Many at once: a proxy before the gateway drops `Authorization` or the header of API keys.',
  },
  'not-in-its-header': {
    means:
      'There is a credential, but where none is ever read: in the query, in another header, or in another spelling of the header.',
    remedy: 'A token goes into `Authorization: Bearer …`, an API key into the header that `apiKeys.header` names.',
  },
  'admin-token-missing': {
    means: 'A request to the admin API came without `Authorization`.',
    remedy: 'Send `Authorization: Bearer` with the admin token (`admin.token`).',
  },
} as const satisfies Explanations

/** `credential-invalid`, whatever kind the credential is of. */
export const INVALID_CREDENTIALS = {
  'scheme-unsupported': {
    means: '`Authorization` is there, but its scheme is not `Bearer`; most often it is `Basic`.',
    remedy: 'Make the client send `Bearer` and the token. `Basic` often comes from a user name in a URL, or from a proxy.',
  },
  expired: {
    means: 'The token or API key is past its end; for a token `providers[].clockSkew` is granted on top.',
    remedy:
      'Get a new token, or `planegate keys create` for a key. If everything is expired at once, compare `date -u` here and at the issuer.',
  },
  'session-revoked': {
    means: 'The session (`sid`) of the token was revoked.',
    remedy:
      'The user logs in again. Who revoked it: the `revocation-added` record in the audit log. A revocation is never taken back.',
  },
  'token-revoked': {
    means: 'This one token (`jti`) was revoked.',
    remedy: 'The client gets a new token. Who revoked it: the `revocation-added` record in the audit log.',
  },
  'subject-revoked': {
    means: 'All tokens of this subject that were issued up to some moment were revoked, and those that do not say when (`iat`).',
    remedy: 'The user logs in again. If new tokens are refused as well, they lack `iat`, or the clock of the issuer is behind.',
  },
  'credential-revoked': {
    means: 'This API key, or this very token, was revoked by its credential id.',
    remedy: 'Make a new key with `planegate keys create`, or get a new token. `GET /admin/v1/revocations` says who revoked it.',
  },
  'admin-token-wrong': {
    means: 'The bearer token of a request to the admin API is not the one of `admin.token`.',
    remedy:
      'Compare with the variable or file that `admin.token` names. It is read once, at the start: after a change restart the gateway.',
  },
} as const satisfies Explanations

/** `credential-invalid`: API keys. */
export const INVALID_API_KEYS = {
  'key-malformed': {
    means: 'What came in the header of API keys is none, or is mistyped: the checksum does not fit.',
    remedy: 'Copy the key again, whole and without quotes or blanks: `pgk_`, environment, id, secret.',
  },
  'wrong-environment': {
    means: 'The key was made for another environment: `pgk_dev_`, `pgk_stg_` and `pgk_prod_` are apart.',
    remedy: 'Give the client a key made by a gateway with the same `environment`, or point the client at its own gateway.',
  },
  'unknown-key': {
    means: 'The API key is well formed, but the database has none with its id.',
    remedy:
      'Compare `credential.id` with `planegate keys list`. Missing after a restore or a move: see that `stores.database.url` names the right file.',
  },
  'digest-mismatch': {
    means: 'There is an API key with this id, but its secret is another one. A typing mistake fails its checksum instead.',
    remedy:
      'Somebody has made it up around an id seen in a log; the key itself is not at risk. Look at `clientIp`, and block it if it goes on.',
  },
  revoked: {
    means: 'The API key was revoked.',
    remedy:
      'If its owner should still have access: `planegate keys create`. Who revoked it: the `key-revoked` record in the audit log.',
  },
  'address-not-allowed': {
    means: 'The API key is genuine, but `clientIp` is outside its networks.',
    remedy:
      'If `clientIp` is your own proxy, name it in `server.trustedProxies`. If the client has moved: `planegate keys create --cidr`, for the networks of a key cannot be changed.',
  },
  'address-unreadable': {
    means: 'The API key is bound to networks, and the address of the client is not an IP address.',
    remedy:
      'Look at what reports the client address: the proxies of `server.trustedProxies`. A key without `--cidr` works from anywhere.',
  },
} as const satisfies Explanations
