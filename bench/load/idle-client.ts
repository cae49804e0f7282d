/**
 * Opens connections, sends one request over each, and keeps them without a word. Arguments: port, path, token, how many. Prints `open` when every
 * request was answered with 200; on a message tells how many connections are still there.
 */
import { connect, type Socket } from 'node:net'

/** Connections that are being made at a time: a burst would overflow the listen queue of whoever is measured. */
const AT_ONCE = 200

const [port = '0', path = '/', token = '', count = '0'] = process.argv.slice(2)
const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n\r\n`
const sockets: Socket[] = []
let lost = 0

const wanted = Number(count)
let begun = 0
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    while (begun < wanted) {
      begun += 1
      await open()
    }
  }),
)
process.on('message', () => process.send?.({ open: sockets.length - lost, lost }))
process.once('SIGTERM', () => process.exit(0))
process.stdout.write('open\n')

function open(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), '127.0.0.1', () => socket.write(request))
    socket.once('error', reject)
    socket.once('data', (chunk: Buffer) => {
      if (!chunk.toString('latin1').startsWith('HTTP/1.1 200')) reject(new Error(`answered: ${chunk.toString('latin1')}`))
      sockets.push(socket)
      socket.on('close', () => {
        lost += 1
      })
      resolve()
    })
  })
}
