import { join } from 'node:path'
import { type Bench, freePort } from '../lab/bench.ts'
import type { Contestant } from './contestant.ts'

/** `@fastify/http-proxy` without anything; it passes WebSockets only where asked, because that costs it something. */
export function startPlugin(bench: Bench, upstream: string, websocket = false): Promise<Contestant> {
  return startPlain(bench, 'bare @fastify/http-proxy', 'plugin-server.ts', [upstream, websocket ? 'yes' : 'no'])
}

/** `node:http` and `undici.dispatch`. */
export function startHandMade(bench: Bench, upstream: string): Promise<Contestant> {
  return startPlain(bench, 'hand-made undici.dispatch', 'hand-made-server.ts', [upstream])
}

async function startPlain(bench: Bench, name: string, file: string, argv: readonly string[]): Promise<Contestant> {
  const port = await freePort()
  const command = [process.execPath, join(import.meta.dirname, file), String(port), ...argv]
  const started = await bench.start(command, {
    on: 'contestant core',
    ready: { port },
    env: { NODE_ENV: 'production' },
  })
  return { name, url: `http://127.0.0.1:${port}`, process: started, issuer: null, identity: 'nothing' }
}
