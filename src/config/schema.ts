import { z } from 'zod'
import { explanation, identifier, ownHeader, reservedHeader, scope, word } from './name-values.ts'
import { listenHost, network, origin, webUrl } from './network-values.ts'
import { guardedPath } from './path-values.ts'
import { providerSchema } from './provider-schema.ts'
import { duration, filePath, keyFile, rate, secretReference, size, storeUrl } from './values.ts'

const port = () => z.int().min(0).max(65_535)

const server = z.strictObject({
  host: listenHost().prefault('127.0.0.1').describe('Address to listen on.'),
  port: port().prefault(8080).describe('Port to listen on; 0 takes a free one.'),
  trustedProxies: z.array(network()).prefault([]).describe("Whose `X-Forwarded-For` is believed. Empty: nobody's."),
  requestTimeout: duration({ max: '24h' }).prefault('60s').describe('Time for a whole request to arrive.'),
  maxBodySize: size().prefault('10MiB').describe('Largest request body.'),
  workers: z
    .union([z.int().min(1).max(1024), z.literal('auto')], { error: 'must be a number from 1, or auto' })
    .prefault(1)
    .describe('Processes. More than 1 needs state that they share.'),
})

const admin = z.strictObject({
  host: listenHost().prefault('127.0.0.1').describe('Address of the admin listener.'),
  port: port().prefault(9090).describe('Port of the admin listener; 0 takes a free one.'),
  token: secretReference()
    .optional()
    .describe('Bearer token of `/admin/v1/*`, at least 32 characters. Absent: that interface is closed.'),
})

const identity = z.strictObject({
  header: ownHeader('X-Planegate-Assertion')
    .prefault('X-Planegate-Assertion')
    .describe('Header that carries the assertion to upstreams.'),
  issuer: word('an issuer', 'https://api.example.com').optional().describe('`iss` of the assertion. Absent: `publicOrigin`.'),
  ttl: duration({ min: '1s', max: '5m' }).prefault('60s').describe('How long an assertion is valid; at most 5m.'),
  key: keyFile().describe('Private key that signs: Ed25519, ES256 or RS256, PKCS#8 or PKCS#1.'),
  previousKeys: z.array(keyFile()).prefault([]).describe('Keys that are still published and no longer sign.'),
  binding: z
    .enum(['session', 'request'])
    .prefault('session')
    .describe('`session`: kept per credential and upstream. `request`: one Txn-Token per request.'),
  forwardClaims: z.array(word('the name of a claim', 'tenant')).prefault([]).describe('Further claims to pass on, under `ext`.'),
  reserved: z
    .array(reservedHeader())
    .prefault([])
    .describe('Further headers that clients may not send; `*` at the end for any ending.'),
})

const limit = z.strictObject({
  name: identifier().describe('Name of the limit.'),
  key: z
    .enum(['ip', 'subject', 'ip+subject'])
    .describe('What it counts by. `ip` applies to every request, the others where a route names them.'),
  on: z
    .enum(['requests', 'failures'])
    .prefault('requests')
    .describe(
      'What it counts: requests, or only credentials that are not valid, so that guessing is slow. `failures` needs `key: ip`.',
    ),
  rate: rate().describe('How many per period: `/s`, `/min`, `/h` or `/d`.'),
  burst: z.int().min(1).max(1_000_000_000).optional().describe('How many at once. Absent: as many as the rate names.'),
})

const revocation = z.strictObject({
  onUnavailable: z.enum(['deny', 'allow']).prefault('deny').describe('What happens while revocations cannot be read.'),
  reason: explanation().optional().describe('Why `allow` is right here. Needed with it.'),
  maxStaleness: duration({ max: '5m' }).prefault('5s').describe('How old the known revocations may be.'),
  retention: duration({ min: '1m', max: '3650d' })
    .prefault('400d')
    .describe('How long a revocation is kept. Tokens that live longer are refused.'),
})

const stores = z.strictObject({
  redis: z
    .strictObject({
      url: storeUrl({
        title: 'a Redis URL without a password',
        example: 'redis://127.0.0.1:6379',
        pattern: /^rediss?:\/\/[^\s@]+$/,
      }).describe('Address; with a password in it: { env: NAME }.'),
    })
    .optional()
    .describe('Shared state of several processes. Not used by this version.'),
  database: z
    .strictObject({
      url: storeUrl({
        title: 'a database URL without a password',
        example: 'sqlite:./data/planegate.db',
        pattern: /^[a-z]+:[^\s@]+$/,
      })
        .prefault('sqlite:./data/planegate.db')
        .describe('Where API keys and revocations are kept: sqlite:PATH, or { env: NAME } that holds it.'),
      migrate: z.enum(['auto', 'manual']).prefault('auto').describe('Whether `serve` brings the tables up to date by itself.'),
    })
    .prefault({})
    .describe('What must outlive a restart.'),
})

const audit = z.strictObject({
  directory: filePath().prefault('./data/audit').describe('Folder of the log.'),
  success: z.boolean().prefault(true).describe('Record what was allowed. Denials are always recorded.'),
  limits: z.boolean().prefault(true).describe('Record what a limit refused.'),
  key: keyFile()
    .optional()
    .describe('Private key (Ed25519) that signs checkpoints. Absent: that the end of the log was cut off cannot be told.'),
  previousKeys: z
    .array(keyFile())
    .prefault([])
    .describe('Keys, private or public, that signed checkpoints before; needed until the first start with the new `key`.'),
  onUnavailable: z.enum(['deny', 'shed']).prefault('deny').describe('What happens while records cannot be written.'),
  reason: explanation().optional().describe('Why `shed` is right here. Needed with it.'),
  segment: z
    .strictObject({
      size: size().prefault('64MiB').describe('A file of the log that is larger ends, and the next begins.'),
      age: duration({ min: '1s', max: '366d' }).prefault('24h').describe('One that is older ends too.'),
      compressAfter: duration({ max: '3660d' }).prefault('1h').describe('How long after its end a file is compressed (gzip).'),
    })
    .prefault({})
    .describe('The files of the log.'),
  checkpoint: z
    .strictObject({
      every: z.int().min(1).max(1_000_000).prefault(10_000).describe('Records between two signed checkpoints, at most.'),
      interval: duration({ min: '100ms', max: '24h' }).prefault('30s').describe('Time between two, also when nothing happens.'),
    })
    .prefault({})
    .describe('When the state of the log is signed.'),
  anchor: z
    .union(
      [
        z.strictObject({ file: filePath().describe('A file outside the folder of the log, best on another disk.') }),
        z.strictObject({ url: webUrl('https://anchor.example.com/planegate').describe('Gets each checkpoint by POST.') }),
        z.strictObject({ database: z.literal(true).describe('A row of `stores.database`.') }),
      ],
      { error: 'must be { file: PATH }, { url: URL } or { database: true }' },
    )
    .optional()
    .describe('Where checkpoints are also kept, out of reach of whoever can write the folder.'),
  pseudonymize: z
    .strictObject({ key: secretReference().describe('At least 32 characters. Whoever has it can still search.') })
    .optional()
    .describe('Write keyed digests in place of client addresses and subjects.'),
})

const upstream = z.strictObject({
  targets: z.array(origin('http://10.0.0.5:3000')).min(1).describe('Addresses of the service.'),
  audience: word('an audience', 'accounts').optional().describe('`aud` of the assertion. Absent: the name of the upstream.'),
  timeouts: z
    .strictObject({
      connect: duration({ max: '24h' }).prefault('2s').describe('To connect.'),
      headers: duration({ max: '24h' }).prefault('30s').describe("Until the response's head."),
      idle: duration({ max: '24h' }).prefault('60s').describe('Between two pieces of a body; event streams excepted.'),
    })
    .prefault({})
    .describe('How long is waited.'),
  connections: z
    .int()
    .min(1)
    .max(60_000)
    .prefault(1024)
    .describe('Connections to one target at most; an event stream or a WebSocket has one for itself. Further requests wait.'),
})

/** gateway.yaml: the one definition of its keys, their defaults and their meaning. */
export const gatewaySchema = z.strictObject({
  environment: z.enum(['development', 'staging', 'production']).describe('Where this runs. Production is always strict.'),
  publicOrigin: origin('https://api.example.com')
    .optional()
    .describe('How clients reach the gateway. Absent in development: the address it listens on; elsewhere required.'),
  server: server.prefault({}).describe('The public listener.'),
  admin: admin.prefault({}).describe('The listener of metrics, health and administration.'),
  routes: filePath().prefault('./routes').describe('Folder whose every *.yaml is a route-plane file.'),
  startup: z
    .strictObject({
      strict: z.boolean().prefault(false).describe('Do not start with a provider that is not ready. Always so in production.'),
    })
    .prefault({})
    .describe('What stops a start.'),
  providers: z.array(providerSchema).prefault([]).describe('Issuers whose tokens are trusted.'),
  apiKeys: z
    .strictObject({ header: ownHeader('X-API-Key').prefault('X-API-Key').describe('Header that carries an API key.') })
    .prefault({})
    .describe('API keys.'),
  invariants: z
    .strictObject({
      workerPaths: z
        .array(guardedPath())
        .prefault([])
        .describe('Paths that take no JWT. `/x/*` covers `/x` and everything below.'),
      adminPaths: z.array(guardedPath()).prefault([]).describe('Paths that take no API key.'),
    })
    .prefault({})
    .describe('Paths that are guarded whatever their routes say.'),
  identity: identity.describe('The signed identity that upstreams receive.'),
  limits: z.array(limit).prefault([]).describe('Rate limits.'),
  revocation: revocation.prefault({}).describe('Credentials withdrawn before their time.'),
  stores: stores.prefault({}).describe('Where state is kept.'),
  audit: audit.prefault({}).describe('The record of every decision.'),
  upstreams: z.record(identifier(), upstream).prefault({}).describe('Services behind the gateway, by name.'),
  roles: z
    .record(scope(), z.array(scope()).describe('Permissions that the role grants.'))
    .prefault({})
    .describe('Permissions of each role.'),
  providerStatus: z
    .strictObject({
      exposure: z.enum(['public', 'admin', 'off']).prefault('admin').describe('Where `/auth/provider/status` answers.'),
    })
    .prefault({})
    .describe('Readiness of the providers.'),
  development: z
    .strictObject({
      issuer: z.boolean().prefault(false).describe('Run the built-in issuer of `dev-token`. Only in development.'),
    })
    .prefault({})
    .describe('Help for trying things out.'),
})

export type GatewayFile = z.output<typeof gatewaySchema>
