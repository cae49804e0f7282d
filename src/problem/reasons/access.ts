import type { Explanations } from './explanation.ts'

/** `plane-mismatch` (I2). */
export const PLANE_MISMATCHES = {
  'api-key-on-human-route': {
    means: 'An API key was presented on a `HUMAN_ONLY` route. The key was not looked up.',
    remedy: 'The client needs the token of a person here, or the route is for machines too: set its `plane` to `BOTH`.',
  },
  'human-on-machine-route': {
    means: "A person's token, verified, was presented on a `MACHINE_ONLY` route.",
    remedy: 'The caller needs a machine token or an API key here, or the route is for people too: set its `plane` to `BOTH`.',
  },
  'machine-on-human-route': {
    means: "A machine's token, verified, was presented on a `HUMAN_ONLY` route.",
    remedy:
      'The caller needs the token of a person, or the route `plane: BOTH`. If the token is that of a person, `plane` of its provider is declared wrongly.',
  },
} as const satisfies Explanations

/** `worker-refuses-jwt` (I3). */
export const TOKENS_AT_WORKERS = {
  'jwt-on-worker-path': {
    means: 'A token came to a worker path, on which only API keys are taken, a machine token no more than any other.',
    remedy:
      'Give the client an API key (`planegate keys create`). What makes it a worker path is `kind: worker` of the route or `invariants.workerPaths`.',
  },
} as const satisfies Explanations

/** `admin-refuses-api-key` (I4). */
export const KEYS_AT_ADMINS = {
  'api-key-on-admin-path': {
    means: 'An API key came to an admin path, on which none is taken.',
    remedy: 'The caller needs a token. What makes it an admin path is `kind: admin` of the route or `invariants.adminPaths`.',
  },
} as const satisfies Explanations

/** `scope-insufficient`. */
export const MISSING_SCOPES = {
  scopes: {
    means: 'The credential lacks one of the scopes that the route asks for all of (`require.scopes`).',
    remedy: 'Grant it at the issuer, or make a key with `planegate keys create --scopes`: the scopes of a key cannot be changed.',
  },
  'any-scope': {
    means: 'The credential has none of the scopes of which the route asks for one (`require.anyScope`).',
    remedy:
      'Grant one at the issuer, or make a key with `planegate keys create --scopes`: the scopes of a key cannot be changed.',
  },
} as const satisfies Explanations

/** `policy-denied`. */
export const DENIED_BY_POLICY = {
  roles: {
    means: 'The caller has none of the roles of `require.roles`. API keys have no roles.',
    remedy: 'Grant the role at the issuer; see that `providers[].claims.roles` names the claim that holds them.',
  },
  permissions: {
    means: 'No role of the caller grants a permission of `require.permissions`. API keys have no roles.',
    remedy: 'Add the permission to a role under `roles`, or grant the caller another role at the issuer.',
  },
  actor: {
    means:
      'The caller is not one of `require.actors`: a token of the `HUMAN` plane is `human`, every other credential is `service`.',
    remedy: 'If the caller should get in, add its kind (`actor` in the record) to `require.actors` of the route.',
  },
  claims: {
    means: 'A claim does not have exactly the value of `require.claims`; a list does not match one of its members.',
    remedy: 'Compare `require.claims` of the route with a token of the caller. API keys have no claims.',
  },
  'cors-origin': {
    means: 'A page of an origin that `cors.origins` of the route does not list has sent a preflight, or opens a WebSocket.',
    remedy:
      'If the page is yours, add its origin as the browser writes it: scheme, host and port, no path. `planegate check` lists them.',
  },
  'cors-method': {
    means: 'A page asks for a method that `cors.methods` of the route does not list.',
    remedy: 'If pages should use it, add it to `cors.methods`.',
  },
  'cors-headers': {
    means: 'A page wants to send a header that `cors.headers` of the route does not list.',
    remedy:
      'If pages should send it, add it to `cors.headers`; who writes that list must name `Authorization` and `Content-Type` too.',
  },
  'public-rule-on-guarded-path': {
    means:
      'A `PUBLIC` route reaches over a worker or admin path (`invariants.workerPaths`, `invariants.adminPaths`); it opens nothing there.',
    remedy: 'Narrow `path` of the route, or declare a route of its own for that path with its plane and kind.',
  },
} as const satisfies Explanations

/** `route-unknown`. */
export const NO_ROUTES = {
  'no-route': {
    means: 'No route is declared for this host and path.',
    remedy:
      '`planegate check` lists all routes. Look at `hosts` too: it is compared with the host that the client, or a trusted proxy, names.',
  },
  'route-expired': {
    means: 'The route was declared with an `expires` date, and that is past.',
    remedy:
      'If it is still needed, have whoever wrote the rule decide on a new `expires`; else delete it. `planegate check` fails until then.',
  },
  'spelling-of-another-route': {
    means:
      'The path differs only in case or by a final slash from that of a stricter route, and many servers would take it for that one.',
    remedy: 'The client must spell the path as the route does. If both are meant to be apart, name them more differently.',
  },
  'admin-path-unknown': {
    means: 'The admin listener has nothing under this path. Without `admin.token` that is everything under `/admin/v1`.',
    remedy: 'Compare with docs/admin-api.md; set `admin.token` and restart where the admin API is wanted.',
  },
} as const satisfies Explanations

/** `method-not-allowed`. */
export const OTHER_METHODS = {
  'other-methods-only': {
    means:
      'The path has routes, but none for this method. A preflight to a route without `cors` looks like this, with `OPTIONS`.',
    remedy:
      'Add the method to `methods` of the route (absent it is GET), or `cors` for pages of other origins. `Allow` in the answer names what there is.',
  },
  'admin-method-unknown': {
    means: 'The admin API has this path for other methods.',
    remedy: 'Use one that `Allow` in the answer names; docs/admin-api.md lists the operations.',
  },
} as const satisfies Explanations
