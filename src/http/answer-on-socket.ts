import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { type RenderedRefusal, wireFormat } from '../problem/render.ts'

/** Answers where there is no response object: a refused upgrade, or a head that could not be parsed. */
export function answerOnSocket(socket: Duplex, rendered: RenderedRefusal): void {
  if (!socket.writable) {
    socket.destroy()
    return
  }
  socket.end(wireFormat(rendered, STATUS_CODES[rendered.status] ?? 'Refused'), () => socket.destroy())
}
