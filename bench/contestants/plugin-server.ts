/** Nothing but `@fastify/http-proxy`: no authentication, no log. Arguments: port, origin of the upstream, whether WebSockets pass. */
import httpProxy from '@fastify/http-proxy'
import Fastify from 'fastify'

const [port = '0', upstream = '', websocket = 'no'] = process.argv.slice(2)
const fastify = Fastify({ logger: false })
await fastify.register(httpProxy, { upstream, websocket: websocket === 'yes' })
await fastify.listen({ host: '127.0.0.1', port: Number(port) })
process.once('SIGTERM', () => process.exit(0))
