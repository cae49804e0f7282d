import { gatewayJsonSchema, printed, routesJsonSchema } from '../config/json-schema.ts'

const GATEWAY = `# yaml-language-server: $schema=./gateway.schema.json
# A small configuration that works at once. \`planegate check\` shows who gets in where; \`planegate serve\` runs it.
environment: development # development | staging | production
publicOrigin: http://127.0.0.1:8080

server: { host: 127.0.0.1, port: 8080 }
admin:
  host: 127.0.0.1
  port: 9090
  # token: { env: PLANEGATE_ADMIN_TOKEN } # opens /admin/v1/*; at least 32 characters

routes: ./routes # every *.yaml in it is a route-plane file

# The built-in issuer of \`planegate dev-token\`, in development only. Elsewhere declare real ones:
# providers:
#   - name: clerk
#     plane: HUMAN # or MACHINE
#     issuer: https://clerk.example.com
#     audiences: [https://api.example.com]
#     algorithms: [RS256]
development: { issuer: true }

# Guarded whatever a route says: worker paths take API keys only, admin paths take none.
invariants:
  workerPaths: [/workers/*]
  adminPaths: [/admin/*]

identity:
  key: { file: ./keys/identity.pem } # signs what upstreams learn about the caller

limits:
  - { name: per-address, key: ip, rate: 600/min, burst: 100 } # counts every request
  - { name: per-subject, key: subject, rate: 300/min, burst: 50 } # counts where a route names it

stores:
  database: { url: sqlite:./data/planegate.db }

audit:
  directory: ./data/audit
  key: { file: ./keys/audit.pem } # signs the state of the log; keys/audit.pub.pem is for whoever verifies it (planegate audit verify)

upstreams:
  app: { targets: [http://127.0.0.1:3001] }
`

const HUMANS = `# yaml-language-server: $schema=../routes.schema.json
plane: HUMAN_ONLY # for every route here that says nothing else
upstream: app
routes:
  - id: app-read
    path: /api/* # GET, and HEAD with it
    limits: [per-subject]
    require: { scopes: [app:read] }
  - id: app-write
    methods: [POST, PUT, PATCH, DELETE]
    path: /api/*
    limits: [per-subject]
    require: { scopes: [app:write] }
  - id: status
    plane: PUBLIC
    reason: uptime probe, carries no data # a PUBLIC route must say why
    path: /status
`

const MACHINES = `# yaml-language-server: $schema=../routes.schema.json
plane: MACHINE_ONLY
upstream: app
routes:
  - id: jobs-run
    kind: worker # takes API keys only
    methods: [POST]
    path: /workers/jobs
    limits: [per-subject]
    require: { scopes: [jobs:run], actors: [service] }
`

/** Text files of a new configuration, by their path in its folder. */
export function initialFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['gateway.yaml', GATEWAY],
    ['routes/humans.yaml', HUMANS],
    ['routes/machines.yaml', MACHINES],
    ['gateway.schema.json', printed(gatewayJsonSchema())],
    ['routes.schema.json', printed(routesJsonSchema())],
    ['.gitignore', '# Private keys and state never go into a repository.\nkeys/\ndata/\n'],
  ])
}
