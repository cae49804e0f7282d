import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bench, freePort, type Started } from '../lab/bench.ts'

/** The static upstream behind every contestant. */
export interface Upstream {
  readonly port: number
  readonly origin: string
  readonly process: Started
}

/** What the upstream says it saw, under `/things/echo` and `/machine/things/echo`. */
export interface Seen {
  readonly uri: string
  readonly authorization: string
  readonly apiKey: string
  readonly assertion: string
  readonly transaction: string
  readonly subject: string
  readonly length: string
}

/** Bytes of the file under `/things/large`. */
export const LARGE_FILE = 1024 * 1024

/** nginx, one process, which answers out of its configuration: 200 and a few bytes of JSON, an echo of what it saw, and one large file. */
export async function startUpstream(bench: Bench, nginx: string): Promise<Upstream> {
  const port = await freePort()
  const folder = join(bench.folder, 'upstream')
  mkdirSync(join(folder, 'files', 'things'), { recursive: true })
  writeFileSync(join(folder, 'files', 'things', 'large'), Buffer.alloc(LARGE_FILE, 'planegate '))
  writeFileSync(join(folder, 'nginx.conf'), configuration(folder, port))
  const argv = [nginx, '-p', folder, '-e', join(folder, 'error.log'), '-c', join(folder, 'nginx.conf')]
  const process = await bench.start(argv, { on: 'other cores', ready: { port } })
  return { port, origin: `http://127.0.0.1:${port}`, process }
}

function configuration(folder: string, port: number): string {
  const seen: Seen = {
    uri: '$request_uri',
    authorization: '$http_authorization',
    apiKey: '$http_x_api_key',
    assertion: '$http_x_planegate_assertion',
    transaction: '$http_txn_token',
    subject: '$http_x_subject',
    length: '$content_length',
  }
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  return `daemon off; master_process off; pid ${folder}/nginx.pid; worker_rlimit_nofile 20000;
events { worker_connections 15000; }
http {
  access_log off; default_type application/json; sendfile on; tcp_nopush off; tcp_nodelay on;
  keepalive_timeout 600s; keepalive_requests 1000000000; client_max_body_size 0; client_body_buffer_size 64k;
  large_client_header_buffers 8 16k;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { return 200 '{"ok":true}'; }
    location ~ ^(/machine)?/things/echo$ { return 200 '${JSON.stringify(seen)}'; }
    location = /things/large { root ${folder}/files; default_type application/octet-stream; }
  }
}
`
}
