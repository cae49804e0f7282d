import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Bench } from '../lab/bench.ts'
import { pinned } from '../lab/cores.ts'

/** Requests that a load generator sends over and over. */
export interface Load {
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** A script of wrk, for requests that differ; see `requestScript`. */
  readonly script?: string
  /** For the script: which request of its list comes first. */
  readonly first?: number
  readonly connections?: number
}

export interface LoadResult {
  readonly requests: number
  readonly perSecond: number
}

const CONNECTIONS = 50

/** Runs wrk on the other cores, as fast as the contestant answers. Throws when a request failed or was answered with other than 2xx or 3xx. */
export async function runWrk(bench: Bench, wrk: string, load: Load, seconds: number): Promise<LoadResult> {
  const headers = Object.entries(load.headers ?? {}).flatMap(([name, value]) => ['-H', `${name}: ${value}`])
  const script = load.script === undefined ? [] : ['-s', load.script]
  const argv = [
    '-t1',
    `-c${load.connections ?? CONNECTIONS}`,
    `-d${seconds}s`,
    '--timeout',
    '10s',
    ...headers,
    ...script,
    load.url,
  ]
  const first = load.script === undefined ? [] : ['--', String(load.first ?? 0)]
  const text = await output(pinned(bench.cores.others, [wrk, ...argv, ...first]))
  return resultOf(text)
}

/** What wrk prints, read. */
export function resultOf(text: string): LoadResult {
  const requests = Number(/(\d+) requests in/.exec(text)?.[1] ?? Number.NaN)
  const perSecond = Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1] ?? Number.NaN)
  const refused = /Non-2xx or 3xx responses: (\d+)/.exec(text)?.[1]
  const errors = /Socket errors: .*/.exec(text)?.[0]
  if (!(requests > 0) || refused !== undefined || errors !== undefined)
    throw new Error(
      `the load met failures: ${refused === undefined ? (errors ?? text) : `${refused} of ${requests} answers were refusals`}`,
    )
  return { requests, perSecond }
}

/** One request of a script. */
export interface Scripted {
  readonly method?: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** Writes a script that sends these requests in turn, from the one that its argument names, and then from the beginning again. */
export function requestScript(bench: Bench, name: string, requests: readonly Scripted[]): string {
  const list = join(bench.folder, `${name}.requests`)
  const script = join(bench.folder, `${name}.lua`)
  // A line each; what ends a line within a request is written as \1.
  const lines = requests.map((request) => bytesOf(request).replaceAll('\r\n', '\x01'))
  writeFileSync(list, `${lines.join('\n')}\n`)
  writeFileSync(
    script,
    `local requests, count, at = {}, 0, 0
for line in io.lines("${list}") do
  count = count + 1
  requests[count] = line:gsub("\\1", "\\r\\n")
end
function init(args)
  at = tonumber(args[1] or "0")
end
function request()
  at = at + 1
  return requests[(at - 1) % count + 1]
end
`,
  )
  return script
}

function bytesOf({ method = 'GET', path, headers, body }: Scripted): string {
  const all = { Host: 'api.bench.example', ...headers, ...(body === undefined ? {} : { 'Content-Length': String(body.length) }) }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body ?? ''}`
}

function output([file = '', ...argv]: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, argv, { stdio: ['ignore', 'pipe', 'pipe'] })
    let text = ''
    child.stdout.on('data', (chunk: Buffer) => {
      text += String(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      text += String(chunk)
    })
    child.once('error', reject)
    child.once('close', () => resolve(text))
  })
}
