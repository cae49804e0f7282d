import type { Explanations } from './explanation.ts'

/** `upstream-unreachable`: no connection to any target of the upstream; each was tried. */
export const UNREACHABLE_UPSTREAMS = {
  'connection-refused': {
    means: 'Nothing listens at the address and port of the target.',
    remedy: 'Start the service, or correct `upstreams.NAME.targets`. `curl -v` from this machine shows the same.',
  },
  'name-unresolved': {
    means: 'The host name of the target cannot be resolved.',
    remedy: 'Correct `upstreams.NAME.targets`, or mend DNS: `getent hosts NAME` on this machine, in the same container.',
  },
  'connect-timeout': {
    means: 'The target did not take the connection, or did not finish the TLS handshake, within `timeouts.connect`.',
    remedy:
      'Look for a firewall that drops packets and for a service that is overloaded; `upstreams.NAME.timeouts.connect` is 2 s by default.',
  },
  'tls-untrusted': {
    means:
      'The certificate of the target is expired, for another name or from nobody that is trusted, or the target speaks no TLS at all.',
    remedy:
      '`openssl s_client -connect HOST:PORT` shows the certificate. For a private authority start with `NODE_EXTRA_CA_CERTS=ca.pem`; checking cannot be switched off.',
  },
  'connect-failed': {
    means:
      'The connection could not be made for another reason; `cause` in the log has its code (`EHOSTUNREACH`, `ECONNRESET`, …).',
    remedy: 'Go by that code: routing, a firewall, or a target that takes connections only to drop them.',
  },
} as const satisfies Explanations

/** `upstream-invalid`. Where the answer had begun, the client saw a cut and the log alone has the reason. */
export const INVALID_UPSTREAMS = {
  'connection-closed': {
    means:
      'The upstream closed the connection before its answer was complete. The request is not sent again, for it may have taken effect.',
    remedy:
      'Look at its log at that time: a crash or a restart. Seldom and at random: its keep-alive timeout is below 5 s, raise it.',
  },
  'connection-reset': {
    means: 'The connection was reset before the answer was complete.',
    remedy: 'Look at the log of the upstream at that time: a crash, a kill, or a load balancer between that gives up.',
  },
  'response-unparsable': {
    means: 'What the upstream answered is not HTTP/1.1; `cause` in the log has the code of the parser.',
    remedy:
      'See that the target has the right port and scheme: TLS, HTTP/2 and gRPC ports answer like this. Else mend the upstream.',
  },
  'headers-too-large': {
    means: 'The headers of the answer are larger than 16 KiB.',
    remedy: 'Have the upstream send fewer or shorter headers; many `Set-Cookie` are the usual cause.',
  },
  'length-mismatch': {
    means: 'The answer was shorter or longer than its `Content-Length`.',
    remedy: 'A fault of the upstream: often compression was added and the length not corrected.',
  },
  'status-invalid': {
    means: 'The upstream answered with a status above 599.',
    remedy: 'Mend the upstream.',
  },
  'response-head-invalid': {
    means: 'The answer has a header that would not stand in its line: a control byte in its name or value.',
    remedy: 'Mend the upstream; it may repeat what clients send in a header, which is a hole (response splitting).',
  },
  'handshake-invalid': {
    means: 'The upstream agreed to a WebSocket with an answer that does not belong to the question (RFC 6455 section 4.1).',
    remedy: 'See that a WebSocket server stands behind this path. A cache or proxy between may have answered instead.',
  },
  'upgrade-unasked': {
    means: 'The upstream switched protocols though it was not asked to.',
    remedy: 'Mend the upstream, or whatever stands between.',
  },
  'upgrade-answer-too-long': {
    means: 'The upstream declined a WebSocket with a body of more than 64 KiB.',
    remedy: 'See that a WebSocket server stands behind this path; an ordinary page has answered.',
  },
} as const satisfies Explanations

/** `upstream-timeout`. */
export const LATE_UPSTREAMS = {
  'headers-timeout': {
    means: 'The upstream took the request and gave no answer within `timeouts.headers`.',
    remedy:
      'Find out what it waits for; see `planegate_upstream_duration_seconds`. Where it is meant to be slow, raise `upstreams.NAME.timeouts.headers`.',
  },
  'body-idle': {
    means: 'The answer began and then stood still for `timeouts.idle`. The client saw a cut; the log alone says so.',
    remedy:
      'Find out what the upstream waits for, raise `upstreams.NAME.timeouts.idle`, or have it send `text/event-stream`, which is not timed.',
  },
  'connection-timed-out': {
    means: 'The connection to the upstream stood, and then its machine no longer answered.',
    remedy: 'The machine or the network to it is down: look there.',
  },
} as const satisfies Explanations

/** `overloaded`. */
export const OVERLOADS = {
  'upstream-connections-exhausted': {
    means: 'All 256 connections to a target are taken, and more than 16,384 requests wait for one.',
    remedy:
      'The upstream is far too slow: mend it, or add addresses to `upstreams.NAME.targets`. More gateways would not help it.',
  },
  'no-connection-in-time': {
    means: 'All 256 connections to a target were taken for as long as `timeouts.headers`.',
    remedy: 'The upstream is too slow for this load: mend it, or add addresses to `upstreams.NAME.targets`.',
  },
  'out-of-descriptors': {
    means: 'The process or the machine has no file descriptor left for another connection.',
    remedy: 'Raise `ulimit -n` (systemd: `LimitNOFILE=65536`) and restart.',
  },
  'gateway-stopping': {
    means: 'The gateway is stopping: a WebSocket that was just being opened, or a request cut after 25 s of draining.',
    remedy:
      'Nothing: the client tries again, at another instance. Where long requests must end first, take instances out of the load balancer earlier.',
  },
} as const satisfies Explanations

/** `internal`: faults of planegate, and what an operator can do meanwhile. */
export const FAULTS = {
  'unexpected-error': {
    means: 'Something failed that nobody foresaw, so the request was refused.',
    remedy: 'Report it with the log line, which has the stack under `cause`.',
  },
  'assertion-too-large': {
    means: 'The signed identity would be longer than 8192 characters, more than upstreams take as one header.',
    remedy: 'Take claims out of `identity.forwardClaims`, or have the issuer put fewer scopes and roles into its tokens.',
  },
  'request-unsendable': {
    means: 'The HTTP library refuses to send the request to the upstream, as having a method or header that it does not know.',
    remedy: 'The log line names the cause. Report it, with the method and the header names of the client.',
  },
  'route-without-upstream': {
    means: 'A route was granted that leads to no upstream and to no endpoint of the gateway.',
    remedy: 'A fault of planegate: report it with `route` of the record and that route as it is written.',
  },
  'upstream-undeclared': {
    means: 'A route was granted whose upstream has no targets, which the start should have refused.',
    remedy: 'A fault of planegate: report it with `route` of the record and that route as it is written.',
  },
  'upstream-without-audience': {
    means: 'A route was granted whose upstream has no audience, so no identity can be signed for it.',
    remedy: 'A fault of planegate: report it with `route` of the record and that route as it is written.',
  },
  'head-not-relayed': {
    means: 'The answer of the upstream came, and the proxy library did not pass it on.',
    remedy: 'A fault of planegate or of `@fastify/http-proxy`: report it with the log line.',
  },
  'revocation-not-validated': {
    means: 'The admin API let a revocation through that names nothing to revoke. Nothing was revoked.',
    remedy: 'A fault of planegate: report it. `planegate sessions revoke` does the same from the command line.',
  },
} as const satisfies Explanations
