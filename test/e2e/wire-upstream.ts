import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Lifetime } from './program.ts'

/** An upstream that tells requests that only began from those that came whole. */
export interface WireUpstream {
  readonly origin: string
  /** `METHOD url` of each request whose head came. */
  readonly begun: string[]
  /** `METHOD url body` of each request that came whole. */
  readonly whole: string[]
}

/** Answers a whole request with its own first line and body. `/slow/N` waits N milliseconds before. */
export async function wireUpstream(lifetime: Lifetime): Promise<WireUpstream> {
  const begun: string[] = []
  const whole: string[] = []
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`
    begun.push(line)
    let body = ''
    request.setEncoding('latin1').on('data', (chunk: string) => {
      body += chunk
    })
    request.on('error', () => {})
    request.on('end', () => {
      whole.push(`${line} ${body}`)
      const wait = Number(/^\/slow\/(\d+)$/.exec(request.url ?? '')?.[1] ?? 0)
      setTimeout(() => response.end(`[${line} ${body}]`), wait)
    })
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  lifetime.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, begun, whole }
}
