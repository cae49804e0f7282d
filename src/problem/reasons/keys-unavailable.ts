import type { Explanations } from './explanation.ts'

const AGAIN = 'It is tried again by itself, at most 30 s apart'

/** `keys-unavailable`: why the keys of an issuer cannot be had, so that nobody can say whether its tokens are genuine. */
export const UNAVAILABLE_KEYS = {
  'keys-unreachable': {
    means: 'The key set or the metadata of the issuer cannot be fetched: name, network or TLS. `cause` in the log says which.',
    remedy: `Try \`curl -v\` from this machine on \`jwks.url\` of the provider; for a private authority set \`NODE_EXTRA_CA_CERTS\`. ${AGAIN}; a restart would lose the keys that are held.`,
  },
  'keys-timeout': {
    means: 'The issuer took longer than 4.5 s to answer, metadata and key set together.',
    remedy: `Ask the operator of the issuer; look for a firewall that drops packets on the way there. ${AGAIN}.`,
  },
  'keys-status': {
    means:
      'The issuer answered another status than 200; `jwks_reachable` in `/auth/provider/status` on the admin listener says which.',
    remedy: `404: correct \`jwks.url\` or \`issuer\` of the provider. 5xx: ask the operator of the issuer. ${AGAIN}.`,
  },
  'keys-redirected': {
    means: 'The issuer answered with a redirect, and none is followed: it could lead anywhere.',
    remedy: 'Write the final address into `providers[].jwks.url`; `curl -sI` shows it. Then restart.',
  },
  'keys-too-large': {
    means: 'The answer of the issuer is larger than 512 KiB.',
    remedy: 'See with `curl` whether `jwks.url` leads to a key set at all; if it does, ask the issuer to take old keys out.',
  },
  'keys-not-json': {
    means: 'What the issuer answered, or what `jwks.file` holds, is not one JSON object with one reading.',
    remedy: `See with \`curl\` or \`jq .\` what it is; a login page of a proxy on the way is the usual cause. ${AGAIN}.`,
  },
  'keys-address-refused': {
    means:
      'The address of the keys is not `https`, holds a password, or was named by the metadata and leads into a private network.',
    remedy: 'Where the keys are really there, declare the address yourself in `providers[].jwks.url`, with `https`, and restart.',
  },
  'keys-issuer-mismatch': {
    means: 'The metadata found under `issuer` names another issuer.',
    remedy:
      'Write `issuer` exactly as the metadata does (`curl ISSUER/.well-known/openid-configuration`); a final slash counts. Restart.',
  },
  'keys-not-a-key-set': {
    means: 'The document has no list `keys`, or the metadata has no `jwks_uri`.',
    remedy: 'Point `providers[].jwks.url` at the key set itself, and restart.',
  },
  'keys-too-many-keys': {
    means: 'The key set has more than 100 keys.',
    remedy: 'Ask the issuer to take old keys out; in a `jwks.file` delete them yourself.',
  },
  'keys-no-usable-key': {
    means: 'The key set has no public key for signatures. Keys that were held before go on serving for up to an hour.',
    remedy: `Ask the operator of the issuer: an empty set is a fault on that side. ${AGAIN}.`,
  },
  'keys-file-unreadable': {
    means: '`jwks.file` cannot be read.',
    remedy: `Put it in place, readable by the user of the gateway. ${AGAIN}.`,
  },
  'keys-file-faulty': {
    means: '`jwks.file` holds keys that cannot be used: malformed, too weak, or private ones.',
    remedy: `\`/auth/provider/status\` on the admin listener names each. A private key there is known to whoever read the file: replace it. ${AGAIN}.`,
  },
  'keys-unexpected': {
    means: 'The keys could not be loaded for a reason that nobody foresaw; `cause` in the log has it.',
    remedy: `Report it with that log line. ${AGAIN}.`,
  },
  'keys-closed': {
    means: 'The gateway is stopping and has no keys of this issuer.',
    remedy: 'Nothing: the client tries again, at another instance.',
  },
} as const satisfies Explanations
