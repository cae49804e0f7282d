/**
 * The clients of the scenarios with streams. Arguments: `events` or `websocket`, port, token, how many. Opens as many streams or sockets, prints
 * `open`, and answers each message with how many events or echoes there were so far and how many streams were lost.
 */
import { request } from 'node:http'
import { WebSocket } from 'ws'

const [kind = 'events', port = '0', token = '', count = '1'] = process.argv.slice(2)
const headers = { authorization: `Bearer ${token}` }
const MESSAGE = JSON.stringify({ type: 'ping', text: 'x'.repeat(100) })
let seen = 0
let lost = 0

const open = kind === 'events' ? openStream : openSocket
for (let opened = 0; opened < Number(count); opened += 50) {
  await Promise.all(Array.from({ length: Math.min(50, Number(count) - opened) }, open))
}
process.on('message', () => process.send?.({ seen, lost }))
process.once('SIGTERM', () => process.exit(0))
process.stdout.write('open\n')

function openStream(): Promise<void> {
  return new Promise((resolve, reject) => {
    const sending = request({ host: '127.0.0.1', port, path: '/things/events', headers, agent: false }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`a stream is answered with ${response.statusCode}`))
      response.on('data', (chunk: Buffer) => {
        for (let at = chunk.indexOf('\n\n'); at !== -1; at = chunk.indexOf('\n\n', at + 2)) seen += 1
      })
      response.on('close', () => {
        lost += 1
      })
      resolve()
    })
    sending.on('error', reject).end()
  })
}

/** One message at a time over each socket: the next goes out when the one before came back. */
function openSocket(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/things/socket`, { headers, perMessageDeflate: false })
    socket.on('open', () => {
      socket.send(MESSAGE)
      resolve()
    })
    socket.on('message', (data: Buffer) => {
      if (data.length !== MESSAGE.length) throw new Error('another message came back than was sent')
      seen += 1
      socket.send(MESSAGE)
    })
    socket.on('error', reject).on('close', () => {
      lost += 1
    })
  })
}
