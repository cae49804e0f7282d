/** The upstream of the scenarios with streams: an event to every open stream at a steady pace, and every WebSocket message back. Arguments: port, events per second and stream. */
import { createServer, type ServerResponse } from 'node:http'
import { WebSocketServer } from 'ws'

const [port = '0', pace = '10'] = process.argv.slice(2)
const EVENT = `data: ${JSON.stringify({ id: 'evt_2bQkFAb1c2D3', type: 'thing.changed', text: 'x'.repeat(100) })}\n\n`
const streams = new Set<ServerResponse>()

const server = createServer((request, response) => {
  if (request.url !== '/things/events') {
    response.setHeader('content-type', 'application/json').end('{"ok":true}')
    return
  }
  response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' }).flushHeaders()
  streams.add(response)
  response.once('close', () => streams.delete(response))
})
const sockets = new WebSocketServer({ server, perMessageDeflate: false })
sockets.on('connection', (socket) => {
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
  socket.on('error', () => socket.terminate())
})
// A part of the streams at a time: all of them at once would be a burst that no service makes.
const PARTS = 20
let part = 0
setInterval(
  () => {
    part = (part + 1) % PARTS
    let index = 0
    for (const stream of streams) {
      if (index % PARTS === part) stream.write(EVENT)
      index += 1
    }
  },
  1000 / Number(pace) / PARTS,
)
server.listen(Number(port), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
