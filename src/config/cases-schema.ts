import { z } from 'zod'
import { parseTimestamp } from '../domain/timestamp.ts'
import { identifier, scope, word } from './name-values.ts'
import { filePath, text } from './values.ts'

/** Who asks without any credential. */
export const NOBODY = 'nobody'

const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

const subject = () => text({ title: 'a subject', example: 'user_1', pattern: /\S/ })

/** One caller, named by its key. */
export const caseCallerSchema = z.strictObject({
  provider: identifier().optional().describe('Provider that issued its token; it decides the issuer, and mostly the plane.'),
  apiKey: z.literal(true).optional().describe('It presents an API key instead of a token.'),
  subject: subject().optional().describe('`sub` of the token, or owner of the API key. Absent: the name of the caller.'),
  plane: z
    .enum(['HUMAN', 'MACHINE'])
    .optional()
    .describe('Side of the token. Needed where the provider reads it from a claim that `claims` do not give.'),
  scopes: z.array(scope()).prefault([]).describe('Scopes that it has.'),
  roles: z.array(scope()).prefault([]).describe('Roles that it has; an API key has none.'),
  claims: z
    .record(word('the name of a claim', 'tenant'), z.unknown())
    .prefault({})
    .describe('Further claims of the token, beside those that have a key here; an API key has none.'),
})

const headerValue = () => text({ title: 'the value of a header', example: 'en', form: 'on one line', pattern: /^[^\r\n\0]*$/ })
const path = () => text({ title: 'a path', example: '/api/v1/accounts/7?full=1', pattern: /^[^\s]+$/ })

const spelledRequest = z.strictObject({
  method: text({ title: 'a method', example: 'GET', pattern: METHOD }).prefault('GET').describe('Method, in capitals.'),
  path: path().describe('Path, with its query if it has one.'),
  host: text({ title: 'a host', example: 'api.example.com', pattern: /^[^\s]+$/ })
    .optional()
    .describe('`Host`, with its port if it has one. Absent: that of `publicOrigin`.'),
  headers: z
    .record(
      text({ title: 'a header name', example: 'Origin', pattern: METHOD }),
      z.union([headerValue(), z.array(headerValue()).min(1)], {
        error: 'must be the value of the header as text, or a list where the header is repeated',
      }),
    )
    .prefault({})
    .describe("Further headers. What is a credential counts beside the caller's own (I1)."),
  address: text({ title: 'an address', example: '192.0.2.7', pattern: /^[0-9a-fA-F:.]+$/ })
    .prefault('127.0.0.1')
    .describe('Address that it comes from; where `server.trustedProxies` has it, `X-Forwarded-For` and the like count.'),
  upgrade: z.boolean().prefault(false).describe('It asks to become a WebSocket, with the headers that this takes.'),
})

const LINE = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+) (\S+)$/

const requestLine = text({
  title: 'a request',
  form: 'of method and path',
  example: 'GET /api/v1/accounts/7',
  pattern: LINE,
}).transform((line) => {
  const [, method = '', target = ''] = LINE.exec(line) ?? []
  return spelledRequest.parse({ method, path: target })
})

/** A request of a case. */
export const caseRequestSchema = z.union([requestLine, spelledRequest], {
  error: 'must be a method and a path such as GET /api/v1/accounts/7, or { method, path, host, headers, address, upgrade }',
})

const code = () =>
  text({ title: 'a refusal code', example: 'scope-insufficient', form: 'or allow', pattern: /^[a-z]+(?:-[a-z]+)*$/ })

const spelledExpectation = z
  .strictObject({
    decision: z.enum(['allow', 'deny']).optional().describe('Whether it passes.'),
    code: code().optional().describe('Refusal code.'),
    status: z
      .int()
      .min(100)
      .max(599)
      .optional()
      .describe('Status of the refusal; of what passes only a preflight and an endpoint of the gateway have one.'),
    reason: word('a reason', 'nothing-presented').optional().describe('Reason of the refusal, as the audit log has it.'),
    route: word('the id of a route', 'accounts-read').optional().describe('Id of the route that takes the request.'),
  })
  .refine((expected) => Object.keys(expected).some((key) => key !== 'route'), {
    error: 'must also say decision: allow, or what it is refused with',
    when: ({ issues }) => issues.length === 0,
  })

const expectation = z.union(
  [
    code().transform((written) =>
      spelledExpectation.parse(written === 'allow' || written === 'deny' ? { decision: written } : { code: written }),
    ),
    spelledExpectation,
  ],
  { error: 'must be allow, deny, a refusal code, or { decision, code, status, reason, route }' },
)

/** One line of the table: who asks for what, and what is to come of it. */
export const caseSchema = z.strictObject({
  name: text({ title: 'a name', example: 'readers read', pattern: /\S/ }).describe('What it shows, in words.'),
  as: identifier().describe('Name of a caller, or `nobody`.'),
  request: caseRequestSchema.optional().describe('The request: `GET /path`, or with its parts spelled out.'),
  requests: z.array(caseRequestSchema).min(1).optional().describe('Several requests of which the same is expected.'),
  at: text({
    title: 'a time with its offset',
    example: '2027-07-01T00:00:00Z',
    problem: (value) => (parseTimestamp(value) === null ? 'must be a time with its offset such as 2027-07-01T00:00:00Z' : null),
  })
    .transform((value) => parseTimestamp(value) ?? 0)
    .optional()
    .describe('When it is asked, for rules that expire. Absent: now.'),
  expect: expectation.describe('`allow`, `deny`, a refusal code, or several things that must all be so.'),
})

/** A table of requests with expected decisions, for `planegate test`. */
export const casesSchema = z.strictObject({
  config: filePath().optional().describe('The gateway.yaml to test, relative to this file. `--config` wins over it.'),
  callers: z
    .record(identifier(), caseCallerSchema)
    .prefault({})
    .describe('Who asks, by name. Each has `provider: NAME` or `apiKey: true`.'),
  cases: z.array(caseSchema).min(1).describe('The table.'),
})

export type CaseCaller = z.output<typeof caseCallerSchema>
export type CaseRequest = z.output<typeof caseRequestSchema>
export type CaseExpectation = z.output<typeof expectation>
