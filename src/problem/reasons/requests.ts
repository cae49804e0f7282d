import type { Explanations } from './explanation.ts'

/** `request-malformed`: heads and lengths that two servers could read in two ways (RFC 9112). */
export const MALFORMED_HEADS = {
  'several-hosts': {
    means: 'The request has more than one `Host`, and two servers could each go by another one.',
    remedy: 'Make the client, or the proxy before the gateway, send exactly one. From a stranger it is a probe: nothing to do.',
  },
  'host-missing': {
    means: 'An HTTP/1.1 request came without `Host`.',
    remedy: 'Make the client send `Host`. Often it is the health check of a load balancer: set the host name there.',
  },
  'host-invalid': {
    means: '`Host` is not a host name or an address, with or without a port.',
    remedy: 'Correct the host name in the client: letters, digits, `-`, `_` and dots, no user name and no path.',
  },
  'forwarded-host-invalid': {
    means: 'A trusted proxy reports a host, in `X-Forwarded-Host` or `Forwarded`, that is not a host name.',
    remedy: "Make the proxy (one of `server.trustedProxies`) set that header itself and drop the client's own.",
  },
  'forwarded-headers-differ': {
    means:
      "`Forwarded` from a trusted proxy cannot be read, or names other addresses than `X-Forwarded-For`: one is the client's own.",
    remedy: 'Let the proxy (one of `server.trustedProxies`) write one of the two headers and drop the other.',
  },
  'forwarded-address-invalid': {
    means: 'A trusted proxy names as client something that is not an IP address, so nobody can say who is asking.',
    remedy:
      'Make the proxy (one of `server.trustedProxies`) write the plain address into `X-Forwarded-For`, not `unknown` or a name.',
  },
  'target-form': {
    means: 'The request asks neither for a path nor for an `http(s)` address.',
    remedy:
      'The client takes the gateway for a forward proxy or sends `OPTIONS *`: correct its settings. From a stranger it is a probe.',
  },
  'target-for-another-host': {
    means: 'The request line holds a whole address, and its host is not the one in `Host`.',
    remedy: 'The client takes the gateway for a forward proxy: correct its proxy settings. From a stranger it is a probe.',
  },
  'query-characters': {
    means: 'The query holds `#`, a space, a control character or bytes beyond ASCII that are not percent-encoded.',
    remedy: 'Make the client percent-encode its query parameters.',
  },
  'several-origins': {
    means: 'The request has more than one `Origin`, so nobody can say which page it comes from.',
    remedy: 'No browser sends this. Look for a proxy or an extension that adds one.',
  },
  'several-lengths': {
    means:
      'The body has two lengths: `Content-Length` or `Transfer-Encoding` repeated, or both. Request smuggling begins like this.',
    remedy:
      'If `clientIp` is your own proxy, update or reconfigure it, for it passes this on. From a stranger it is an attack that failed.',
  },
  'transfer-coding-unknown': {
    means: '`Transfer-Encoding` is something other than `chunked`.',
    remedy: 'Make the client send the body plain or chunked; compression belongs in `Content-Encoding`.',
  },
  'length-invalid': {
    means: '`Content-Length` is not a whole number.',
    remedy: 'Correct the client. From a stranger it is a probe.',
  },
  'length-mismatch': {
    means: 'The body was shorter or longer than its `Content-Length`.',
    remedy: 'Correct the length in the client; often it counts characters where bytes are meant.',
  },
  'version-unsupported': {
    means: 'The request is not HTTP/1.0 or HTTP/1.1; it may have no version at all (HTTP/0.9).',
    remedy: 'Set the client, or the proxy before the gateway, to HTTP/1.1.',
  },
  'parser-error': {
    means: 'What came is not HTTP: a broken header line, a control byte, or TLS on this plain port.',
    remedy:
      'The `https` of clients must end at a proxy before the gateway: check its address and port. Port scanners look like this too.',
  },
  incomplete: {
    means: 'The connection ended before the request was whole.',
    remedy: 'The client gave up or lost its network. Many at once: look at timeouts of the proxy before the gateway.',
  },
  'connect-not-served': {
    means: 'The client asked for a tunnel with `CONNECT`; planegate is no forward proxy.',
    remedy: 'Remove the gateway from the proxy settings of the client. From a stranger it is a probe.',
  },
} as const satisfies Explanations

/** `request-malformed`: WebSockets that cannot be opened (RFC 6455 section 4.2.1). */
export const MALFORMED_UPGRADES = {
  'pipelined-upgrade': {
    means: 'An upgrade came while an earlier request on the same connection was still unanswered; the connection is closed.',
    remedy: 'No browser does this. If a proxy before the gateway does, give WebSockets a connection of their own there.',
  },
  'upgrade-of-an-endpoint': {
    means: 'The request is allowed, but its path is answered by the gateway itself, and there is no WebSocket behind it.',
    remedy: 'Correct the path in the client; `planegate check` shows which routes have an upstream.',
  },
  'upgrade-with-body': {
    means: 'An upgrade announces a body, which one server would read as a body and the next as WebSocket data.',
    remedy: 'Make the client open the WebSocket with a bare `GET`. From a stranger it is a probe.',
  },
  'upgrade-method': {
    means: 'A WebSocket was asked for with a method other than `GET`, or over HTTP/1.0.',
    remedy:
      'A proxy before the gateway that speaks HTTP/1.0 to it is the usual cause: set it to HTTP/1.1 (nginx: `proxy_http_version 1.1`).',
  },
  'upgrade-not-websocket': {
    means: '`Upgrade: websocket` came without `Connection: Upgrade`.',
    remedy:
      "The proxy before the gateway dropped it: make it pass `Connection: upgrade` on (nginx: `proxy_set_header Connection 'upgrade'`).",
  },
  'websocket-version': {
    means: '`Sec-WebSocket-Version` is not 13, the only version there is.',
    remedy: 'Update the WebSocket library of the client.',
  },
  'websocket-key': {
    means: '`Sec-WebSocket-Key` is missing, repeated, or not 16 bytes in base64.',
    remedy: 'Use a WebSocket library in the client; a request typed by hand needs a key from `openssl rand -base64 16`.',
  },
} as const satisfies Explanations
