/** A proxy of `node:http` and `undici.dispatch` that does nothing else. Arguments: port, origin of the upstream. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { type Dispatcher, Pool } from 'undici'

/** Headers of one connection (RFC 9110 section 7.6.1). `expect` was met by Node, `host` is the upstream's. */
const OWN = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'expect',
  'host',
])

const [port = '0', origin = ''] = process.argv.slice(2)
const pool = new Pool(origin, { connections: 128, pipelining: 1 })

/** Writes an answer as it comes, and tells the upstream to wait while the client is slow. */
class Answer implements Dispatcher.DispatchHandler {
  readonly #response: ServerResponse
  #controller: Dispatcher.DispatchController | null = null

  constructor(response: ServerResponse) {
    this.#response = response
    response.on('drain', () => this.#controller?.resume())
    response.on('close', () => {
      if (!response.writableEnded) this.#controller?.abort(new Error('the client hung up'))
    })
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    this.#response.writeHead(status, texts((controller as { rawHeaders?: readonly Buffer[] }).rawHeaders ?? []))
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#response.write(chunk)) controller.pause()
  }

  onResponseEnd(): void {
    this.#response.end()
  }

  onResponseError(): void {
    if (this.#response.headersSent) this.#response.destroy()
    else this.#response.writeHead(502).end()
  }
}

function texts(rawHeaders: readonly Buffer[]): string[] {
  const headers: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = String(rawHeaders[index])
    if (!OWN.has(name.toLowerCase())) headers.push(name, (rawHeaders[index + 1] as Buffer).toString('latin1'))
  }
  return headers
}

function forwarded({ rawHeaders }: IncomingMessage): string[] {
  const headers: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    if (!OWN.has(name.toLowerCase())) headers.push(name, rawHeaders[index + 1] as string)
  }
  return headers
}

const server = createServer((request, response) => {
  const { method = 'GET', url = '/' } = request
  const body = method === 'GET' || method === 'HEAD' ? null : request
  pool.dispatch({ path: url, method: method as Dispatcher.HttpMethod, headers: forwarded(request), body }, new Answer(response))
})
server.listen(Number(port), '127.0.0.1')
process.once('SIGTERM', () => process.exit(0))
