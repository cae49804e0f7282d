import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, freePort } from '../lab/bench.ts'
import type { Contestant } from './contestant.ts'
import { AUDIENCE, ISSUER, type Issuer } from './tokens.ts'

export interface HaproxyOptions {
  readonly binary: string
  /** Where requests go: `host:port`. */
  readonly upstream: string
  readonly issuer: Issuer
  /** Requests in ten seconds that one address, and one subject, may make. */
  readonly allowance?: number
}

const LOG_FORMAT = JSON.stringify({
  time: '%tr',
  client: '%ci',
  method: '%HM',
  path: '%HPO',
  status: '%ST',
  ms: '%Ta',
  backend: '%s',
  subject: '%[var(txn.sub)]',
})

/**
 * HAProxy, one thread, which verifies a token as planegate's warm path answers for: signature, algorithm, issuer, audience and expiry,
 * an allowance by address and one by subject, and a line of JSON for each request. The line goes to a ring in a mapped file, the cheapest
 * place that HAProxy has: nothing is written by a system call of its own, and older lines are overwritten.
 */
export async function startHaproxy(bench: Bench, options: HaproxyOptions): Promise<Contestant> {
  const { binary, issuer } = options
  const port = await freePort()
  const folder = join(bench.folder, `haproxy-${port}`)
  mkdirSync(folder)
  const file = join(folder, 'haproxy.cfg')
  writeFileSync(file, configuration(folder, port, options))
  const process = await bench.start([binary, '-db', '-f', file], { on: 'contestant core', ready: { port } })
  const name = `HAProxy ${issuer.algorithm}`
  return { name, url: `http://127.0.0.1:${port}`, process, issuer, identity: 'subject' }
}

function configuration(folder: string, port: number, { upstream, issuer, allowance = 1_000_000_000 }: HaproxyOptions): string {
  const { algorithm, publicKeyFile } = issuer
  return `global
  nbthread 1
  no strict-limits
  maxconn 12000
  log ring@access local0

ring access
  format raw
  maxlen 2048
  size 1048576
  backing-file ${folder}/access.ring

defaults
  mode http
  log global
  option http-keep-alive
  timeout client 600s
  timeout server 60s
  timeout connect 2s
  timeout http-request 60s
  timeout tunnel 600s

backend by_address
  stick-table type ip size 100k expire 10s store http_req_rate(10s)

backend by_subject
  stick-table type string len 64 size 100k expire 10s store http_req_rate(10s)

frontend public
  bind 127.0.0.1:${port} backlog 4096
  log-format '${LOG_FORMAT}'
  http-request track-sc0 src table by_address
  http-request deny deny_status 429 if { sc0_http_req_rate gt ${allowance} }
  http-request set-var(txn.bearer) http_auth_bearer
  http-request deny deny_status 401 unless { var(txn.bearer) -m found }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_header_query('$.alg') -m str ${algorithm} }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.iss') -m str ${ISSUER} }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_payload_query('$.aud') -m str ${AUDIENCE} }
  http-request set-var(txn.exp) var(txn.bearer),jwt_payload_query('$.exp','int')
  http-request set-var(txn.now) date()
  http-request deny deny_status 401 unless { var(txn.exp),sub(txn.now) -m int gt 0 }
  http-request deny deny_status 401 unless { var(txn.bearer),jwt_verify("${algorithm}","${publicKeyFile}") -m int 1 }
  http-request set-var(txn.sub) var(txn.bearer),jwt_payload_query('$.sub')
  http-request track-sc1 var(txn.sub) table by_subject
  http-request deny deny_status 429 if { sc1_http_req_rate gt ${allowance} }
  http-request del-header Authorization
  http-request set-header X-Subject %[var(txn.sub)]
  default_backend upstream

backend upstream
  http-reuse always
  server only ${upstream} maxconn 2000
`
}
