import { connect, type Socket } from 'node:net'
import { type Lifetime, until } from './program.ts'

/** A client that sends bytes as it likes and keeps everything that comes back. */
export class RawConnection {
  text = ''
  closed = false
  readonly #socket: Socket

  private constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      this.text += chunk
    })
    // A reset is an end like any other here: what matters is what was answered before.
    socket.on('error', () => {})
    socket.on('close', () => {
      this.closed = true
    })
  }

  static async open(lifetime: Lifetime, port: number): Promise<RawConnection> {
    const socket = connect(port, '127.0.0.1')
    lifetime.after(() => socket.destroy())
    await new Promise<void>((connected, failed) => socket.once('connect', connected).once('error', failed))
    return new RawConnection(socket)
  }

  send(bytes: string): this {
    this.#socket.write(bytes, 'latin1')
    return this
  }

  /** Waits until what came matches. */
  async receives(pattern: RegExp): Promise<RegExpExecArray> {
    return until(`${pattern} in ${JSON.stringify(this.text)}`, () => {
      const found = pattern.exec(this.text)
      if (found === null && this.closed) throw new Error(`closed before ${pattern} came: ${JSON.stringify(this.text)}`)
      return found
    })
  }

  async ends(): Promise<string> {
    await until('the connection ends', () => this.closed)
    return this.text
  }

  hangUp(): void {
    this.#socket.destroy()
  }

  /** The status of every final answer so far, in order. */
  get statuses(): number[] {
    return [...this.text.matchAll(/HTTP\/1\.1 ([2-5]\d\d) /g)].map(([, status]) => Number(status))
  }
}
