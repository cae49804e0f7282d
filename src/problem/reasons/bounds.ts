import type { Explanations } from './explanation.ts'

/** `request-timeout`. */
export const LATE_REQUESTS = {
  'request-timeout': {
    means: 'The request did not arrive whole within `server.requestTimeout` (on the admin listener: 10 s).',
    remedy:
      'For large uploads over slow networks raise `server.requestTimeout`. Many from few addresses are connections held on purpose: block them.',
  },
  'client-reads-nothing': {
    means: 'The client took nothing of its answer for `timeouts.idle` of the upstream, and was cut off. The log alone says so.',
    remedy:
      'The client hangs or was suspended; nothing to do. If slow readers are expected, raise `upstreams.NAME.timeouts.idle`.',
  },
} as const satisfies Explanations

/** `body-too-large`. */
export const LARGE_BODIES = {
  'declared-length': {
    means: '`Content-Length` is above `server.maxBodySize`. Nothing of the body was read.',
    remedy: 'If such bodies are wanted, raise `server.maxBodySize`.',
  },
  'streamed-length': {
    means: 'A chunked body grew above `server.maxBodySize` on its way; the upstream may have seen its beginning.',
    remedy: 'If such bodies are wanted, raise `server.maxBodySize`.',
  },
  'body-too-large': {
    means: 'A body to the admin API has more than 64 KiB.',
    remedy: 'No operation needs that much: compare with docs/admin-api.md.',
  },
} as const satisfies Explanations

/** `headers-too-large`. */
export const LARGE_HEADERS = {
  'header-overflow': {
    means: 'The request line and headers together are larger than Node takes: 16 KiB.',
    remedy:
      'Delete the cookies of the site in the client, or find what sets so many. To take more, start with `NODE_OPTIONS=--max-http-header-size=32768`.',
  },
} as const satisfies Explanations

/** `rate-limited`. */
export const USED_UP_LIMITS = {
  'address-limit': {
    means:
      'The address of the client has used up a limit with `key: ip`; an IPv6 /64 counts as one. Repeats within a minute are one record with `count`.',
    remedy:
      'If `clientIp` is your own proxy, all its clients are counted as one: name it in `server.trustedProxies`. Else raise `rate` or `burst`; `planegate_rate_limited_total` says of which limit.',
  },
  'subject-limit': {
    means: 'The caller has used up a limit that the route names (`key: subject` or `ip+subject`).',
    remedy:
      'Ask who it is (`credential` in the record) why; raise `rate` or `burst` of the limit that `planegate_rate_limited_total` names.',
  },
  'failure-limit': {
    means:
      'The address has presented too many credentials that are not valid (a limit with `on: failures`) and waits, with a valid one too.',
    remedy:
      'Look at the `credential-invalid` records of this `clientIp`: a client with an old credential has to stop trying. If it is your own proxy, name it in `server.trustedProxies`.',
  },
  'admin-failures': {
    means:
      'The address has sent too many wrong or missing tokens to the admin API (10 a minute) and waits, with the right one too.',
    remedy:
      'Wait as long as `Retry-After` says, at most 6 s, then send the right token. If it was not you, see who reaches the admin listener.',
  },
  'admin-requests': {
    means: 'The address has sent too many requests to the admin API: 600 a minute, 100 at once. The limit is fixed.',
    remedy: 'Let the script wait as long as `Retry-After` says.',
  },
} as const satisfies Explanations
