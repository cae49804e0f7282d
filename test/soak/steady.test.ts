import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { type Agent, createServer, Agent as HttpAgent, request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { loadGateway } from '../../src/config/load.ts'
import { developmentIssuerOptions, openDevelopmentIssuer } from '../../src/tokens/development-issuer.ts'
import { BASICS, gatewayFolder } from '../support/gateway.ts'

/** Requests in a row, over a few connections, a tenth of them refused and a tenth with a token never seen before. */
const REQUESTS = 100_000
const CONNECTIONS = 16
/** Requests after which caches, pools and the compiler have settled. */
const WARM = 30_000
/** Bytes that may be held more at the end than when warm: the heap may wait for its next full collection. */
const MEMORY_BOUND = 64 * 1024 * 1024
const FILE_BOUND = 8

test(`${REQUESTS} requests leave memory and open files where they were`, {
  skip: process.platform !== 'linux' && 'reads /proc',
}, async (t) => {
  const upstream = createServer((incoming, response) => {
    incoming.resume()
    response.setHeader('content-type', 'application/json')
    response.end('{"ok":true}')
  })
  await new Promise<void>((listening) => upstream.listen(0, '127.0.0.1', listening))
  t.after(() => {
    upstream.close()
    upstream.closeAllConnections()
  })
  const files = gatewayFolder(
    `${BASICS}
upstreams: { things: { targets: ['http://127.0.0.1:${(upstream.address() as AddressInfo).port}'] } }
limits:
  - { name: per-address, key: ip, rate: 100000000/min, burst: 1000000 }
  - { name: per-subject, key: subject, rate: 100000000/min, burst: 1000000 }
`,
    {
      things:
        'plane: HUMAN_ONLY\nupstream: things\nroutes:\n  - { id: things, path: /things/:id, limits: [per-subject], require: any }\n',
    },
  )
  const loaded = loadGateway(files.file)
  assert.ok(loaded.ok)
  const issuer = openDevelopmentIssuer(developmentIssuerOptions(loaded.gateway))
  const { pid, port, stop } = await serve(files.file)
  t.after(stop)

  const agent = new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS })
  const warm = issuer.sign({ sub: 'alice', plane: 'human' })
  const tokenFor = (index: number) =>
    index % 10 === 1 ? issuer.sign({ sub: `user-${index}`, plane: 'human' }) : index % 10 === 2 ? 'forged' : warm
  const statuses = new Map<number, number>()
  let sent = 0
  const run = async (until: number) => {
    const worker = async () => {
      while (sent < until) {
        sent += 1
        const status = await get(agent, port, `/things/${sent}`, tokenFor(sent))
        statuses.set(status, (statuses.get(status) ?? 0) + 1)
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, worker))
  }
  await run(WARM)
  const before = usage(pid)
  await run(REQUESTS)
  const after = usage(pid)
  agent.destroy()

  assert.deepEqual([...statuses].sort(), [
    [200, (REQUESTS / 10) * 9],
    [401, REQUESTS / 10],
  ])
  t.diagnostic(
    `resident ${mebibytes(before.resident)} -> ${mebibytes(after.resident)} MiB, open files ${before.files} -> ${after.files}`,
  )
  assert.ok(
    after.resident - before.resident < MEMORY_BOUND,
    `resident memory grew from ${before.resident} to ${after.resident} bytes`,
  )
  assert.ok(after.files - before.files < FILE_BOUND, `open files grew from ${before.files} to ${after.files}`)
  await stop()
  assert.equal(recordsIn(join(files.folder, 'data', 'audit')), REQUESTS)
})

/** A gateway in a process of its own, by its command line. */
async function serve(config: string): Promise<{ pid: number; port: number; stop: () => Promise<void> }> {
  const child = spawn(process.execPath, ['src/main.ts', 'serve', '--config', config], {
    env: { ...process.env, PLANEGATE_LOG_LEVEL: 'silent', NODE_V8_COVERAGE: '' },
  })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const port = await new Promise<number>((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += String(chunk)
      const found = /accepts requests on http:\/\/[^:]+:(\d+)/.exec(text)
      if (found) resolve(Number(found[1]))
    })
    child.once('exit', () => reject(new Error(`the gateway did not start: ${text}`)))
  })
  return {
    pid: child.pid as number,
    port,
    stop: async () => {
      child.kill('SIGTERM')
      await exited
    },
  }
}

function get(agent: Agent, port: number, path: string, token: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sending = request(
      { host: '127.0.0.1', port, path, agent, headers: { authorization: `Bearer ${token}` } },
      (response) => {
        response.resume()
        response.once('end', () => resolve(response.statusCode ?? 0))
      },
    )
    sending.once('error', reject)
    sending.end()
  })
}

function usage(pid: number): { resident: number; files: number } {
  const resident = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
  return { resident, files: readdirSync(`/proc/${pid}/fd`).length }
}

/** Of requests: lines in which the log speaks of itself name an event. */
function recordsIn(directory: string): number {
  const texts = readdirSync(directory)
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => readFileSync(join(directory, name), 'utf8'))
  const lines = texts.join('').split('\n').slice(0, -1)
  return lines.filter((line) => !line.includes('"event":')).length
}

function mebibytes(bytes: number): number {
  return Math.round(bytes / 1024 / 1024)
}
