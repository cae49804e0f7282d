import { z } from 'zod'
import { text } from './values.ts'

const HOST_LABELS = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?)*$/

/** A host that a route answers for. */
export function routeHost() {
  const problem = (value: string) => {
    if (/:\d+$/.test(value)) return 'must not name a port: a route answers on every port that the gateway listens on'
    if (value !== value.toLowerCase()) return `must be in lower case: ${value.toLowerCase()}`
    const name = value.startsWith('*.') ? value.slice(2) : value
    return HOST_LABELS.test(name) ? null : 'must be a host name such as api.example.com or *.example.com'
  }
  return text({ title: 'a host name', example: 'api.example.com', problem })
}

/** An address to listen on. */
export function listenHost() {
  const problem = (value: string) =>
    HOST_LABELS.test(value.toLowerCase()) || z.ipv6().safeParse(value).success
      ? null
      : 'must be an address such as 127.0.0.1 or ::1'
  return text({ title: 'an address', example: '127.0.0.1', problem })
}

/** One address or a network in CIDR notation. */
export function network() {
  const kinds = [z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()]
  const problem = (value: string) =>
    kinds.some((kind) => kind.safeParse(value).success) ? null : 'must be an address or a network such as 10.0.0.0/8'
  return text({ title: 'a network', example: '10.0.0.0/8', problem })
}

/** Scheme, host and port; read as it stands in an `Origin` header. */
export function origin(example: string) {
  const problem = (value: string) => {
    const url = httpUrl(value)
    if (url === null || /[?#]/.test(value)) return `must be an origin such as ${example}`
    if (url.username !== '' || url.password !== '') return `must not carry credentials; write an origin such as ${example}`
    return url.pathname === '/' ? null : `must not have a path; write ${url.origin}`
  }
  return text({ title: 'an origin', example, problem }).transform((value) => httpUrl(value)?.origin ?? value)
}

/** The origin of a web page, spelled as browsers send it: it is compared character by character. `*` stands for any. */
export function pageOrigin() {
  const problem = (value: string) => {
    if (value === '*') return null
    if (value === 'null') return 'must not be null: every sandboxed page and local file has that origin'
    if (value.includes('*')) return 'must name one origin: a wildcard inside it would match nothing'
    const url = httpUrl(value)
    if (url === null) return 'must be an origin such as https://app.example.com'
    if (url.username !== '' || url.password !== '') return 'must not carry credentials'
    return value === url.origin ? null : `must be written as browsers send it: ${url.origin}`
  }
  return text({ title: 'an origin', example: 'https://app.example.com', problem })
}

/** Where a gateway in development is reached when nobody says: the address it listens on. */
export function listeningOrigin({ host, port }: { readonly host: string; readonly port: number }): string {
  const reachable = host === '0.0.0.0' || host === '::' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** An absolute http or https URL, kept exactly as written: an issuer is compared character by character. */
export function webUrl(example: string) {
  const problem = (value: string) => {
    const url = httpUrl(value)
    if (url === null) return `must be a URL such as ${example}`
    if (url.username !== '' || url.password !== '') return 'must not carry credentials'
    return value.includes('#') ? 'must not have a fragment' : null
  }
  return text({ title: 'a URL', example, problem })
}

function httpUrl(value: string): URL | null {
  if (!/^https?:\/\/[^\s\\]+$/i.test(value)) return null
  return URL.parse(value)
}

/** Whether a URL speaks plain HTTP, and if so whether it stays on this machine. */
export function plainHttp(value: string): 'no' | 'loopback' | 'network' {
  const url = URL.parse(value)
  if (url === null || url.protocol !== 'http:') return 'no'
  const host = url.hostname
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host) ? 'loopback' : 'network'
}
