// A service behind the gateway, for the demonstration: verifies who asks and answers what it received.
import { createServer } from 'node:http'
import { answerIdentityError, createIdentityVerifier } from 'planegate/upstream'

const {
  PORT = '3001',
  HOST = '127.0.0.1',
  GATEWAY = 'http://127.0.0.1:8080',
  ISSUER = GATEWAY,
  AUDIENCE = 'accounts',
} = process.env
const insecureHttp = process.env.INSECURE_HTTP === 'true' // only for a private network of containers
const verifier = createIdentityVerifier({ gateway: GATEWAY, issuer: ISSUER, audience: AUDIENCE, insecureHttp })

const server = createServer(async (request, response) => {
  try {
    // The status page is PUBLIC: nobody is vouched for there.
    const identity = request.url?.startsWith('/status') ? null : await verifier.verify(request)
    const seen = identity && { subject: identity.subject, plane: identity.plane, actor: identity.actor, scopes: identity.scopes }
    const body = { service: AUDIENCE, method: request.method, path: request.url, identity: seen, headers: request.headers }
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(`${JSON.stringify(body, null, 2)}\n`)
  } catch (error) {
    answerIdentityError(response, error)
  }
})
server.listen(Number(PORT), HOST)
for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    server.close(() => process.exit(0))
    server.closeAllConnections()
  })
}
