import { z } from 'zod'
import { cookieName, explanation, identifier, pageHeader, scope, word } from './name-values.ts'
import { pageOrigin, routeHost } from './network-values.ts'
import { pathPrefix, routePath } from './path-values.ts'
import { duration, lastDay } from './values.ts'

const PLANES = ['HUMAN_ONLY', 'MACHINE_ONLY', 'BOTH', 'PUBLIC'] as const
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const

const plane = () => z.enum(PLANES)

const actor = z.enum(['human', 'service', 'agent'], {
  error: ({ input }) => (input === 'system' ? 'system never comes from the network; use human, service or agent' : undefined),
})

// An empty list would read as a rule and ask nothing: each list given must have an entry.
const requirement = z
  .strictObject({
    scopes: z.array(scope()).min(1).optional().describe('All of these.'),
    anyScope: z.array(scope()).min(1).optional().describe('At least one of these.'),
    roles: z.array(scope()).min(1).optional().describe('At least one of these; each must be declared under `roles`.'),
    permissions: z.array(scope()).min(1).optional().describe('All of these, granted through `roles`.'),
    actors: z.array(actor).min(1).optional().describe('One of these.'),
    claims: z.record(word('the name of a claim', 'tenant'), z.unknown()).optional().describe('Claims with exactly these values.'),
  })
  .refine((asked) => Object.values(asked).some((part) => Object.keys(part ?? {}).length > 0), {
    error: 'asks nothing; write require: any if that is meant',
    when: ({ issues }) => issues.length === 0,
  })

const cors = z.strictObject({
  origins: z
    .array(pageOrigin())
    .min(1)
    .describe('Origins of the pages, compared exactly. `*` alone: any; only where the plane is PUBLIC, without credentials.'),
  methods: z
    .array(z.enum(METHODS))
    .min(1)
    .optional()
    .describe("Methods that pages may use. Absent: the route's. GET brings HEAD."),
  headers: z
    .array(pageHeader())
    .optional()
    .describe('Request headers that pages may set. Absent: Authorization, Content-Type and the header of API keys.'),
  credentials: z.boolean().prefault(false).describe('Let pages send the cookies that pass, and read the answer.'),
  maxAge: duration({ min: '0s', max: '24h' }).prefault('10m').describe('How long a browser may keep the answer to a preflight.'),
})

/** One rule of a route-plane file. */
export const routeSchema = z.strictObject({
  id: identifier().describe('Unique name of the rule, in logs, metrics and audit records.'),
  plane: plane().optional().describe("Who it is for. Absent: the file's plane."),
  kind: z.enum(['user', 'worker', 'admin']).prefault('user').describe('`worker` takes API keys only, `admin` takes none.'),
  hosts: z
    .array(routeHost())
    .prefault([])
    .describe(
      'Hosts it answers for; empty: any. `*.example.com` for one level or more below. On one path an exact host beats a wildcard, a longer wildcard a shorter one, and any of them a route for any host.',
    ),
  methods: z.array(z.enum(METHODS)).min(1).optional().describe('Absent: GET. GET brings HEAD.'),
  path: routePath().describe(
    'Literal segments, `:name` for one segment, a trailing `*` for the rest. Static beats parameter beats wildcard.',
  ),
  stripPrefix: pathPrefix().optional().describe('Taken off the front of the path before it is sent on.'),
  upstream: identifier().optional().describe("Where requests go. Absent: the file's upstream."),
  limits: z.array(identifier()).prefault([]).describe('Names of limits that count by subject, in the order they are taken.'),
  require: z
    .union([z.literal('any'), requirement], {
      error: 'must be `any` or a list of requirements such as { scopes: [accounts:read] }',
    })
    .optional()
    .describe('What the caller must be allowed to do. `any`: any verified actor of the plane.'),
  cookies: z.array(cookieName()).prefault([]).describe('Cookies that may pass; all others are dropped.'),
  cors: cors.optional().describe('Web pages of other origins that may call it. Absent: CORS is left to the upstream.'),
  reason: explanation().optional().describe('Why it is so. Needed when the plane is PUBLIC.'),
  expires: lastDay().optional().describe('Last day (UTC) on which the rule holds.'),
})

/** A route-plane file. */
export const routeFileSchema = z.strictObject({
  plane: plane().optional().describe('Plane of the routes that name none.'),
  upstream: identifier().optional().describe('Upstream of the routes that name none.'),
  routes: z.array(routeSchema).min(1).describe('The rules.'),
})

export type RouteFile = z.output<typeof routeFileSchema>
export type RouteEntry = z.output<typeof routeSchema>
