import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { Origin } from '../domain/inbound.ts'

/** Who is asking, and what the upstream will be told of the way here. */
export interface ClientAddress {
  readonly address: string
  readonly origin: Origin
}

/**
 * Reads the client's address. `X-Forwarded-*` and `Forwarded` (RFC 7239) count only when the peer is in `trustedProxies` (CIDR or addresses): then the
 * address is the rightmost one that no trusted proxy has, and everything left of it, which the client could have written itself, is dropped.
 */
export function clientAddressReader(trustedProxies: readonly string[]): (request: IncomingMessage) => ClientAddress {
  const trusted = blockList(trustedProxies)
  const isTrusted = (address: string) => isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (request) => {
    const peer = plainAddress(request.socket.remoteAddress ?? '')
    const host = request.headers.host ?? ''
    if (trustedProxies.length === 0 || !isTrusted(peer)) {
      return { address: peer, origin: { addresses: [peer], proto: 'http', host } }
    }
    const told = reportedAddresses(request)
    const addresses = [peer]
    for (let index = told.length - 1; index >= 0 && isTrusted(addresses[0] ?? ''); index -= 1) {
      const next = plainAddress(told[index] ?? '')
      if (isIP(next) === 0) break
      addresses.unshift(next)
    }
    return {
      address: addresses[0] ?? peer,
      origin: { addresses, proto: reportedProto(request), host: reportedHost(request) ?? host },
    }
  }
}

function blockList(networks: readonly string[]): BlockList {
  const list = new BlockList()
  for (const network of networks) {
    const [address = '', prefix] = network.split('/')
    const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
    if (prefix === undefined) list.addAddress(address, family)
    else list.addSubnet(address, Number(prefix), family)
  }
  return list
}

/** Without port, brackets or zone; IPv4-mapped IPv6 as IPv4. */
function plainAddress(text: string): string {
  let address = text.trim()
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)
  if (bracketed) address = bracketed[1] ?? ''
  else if (/^\d+\.\d+\.\d+\.\d+:\d+$/.test(address)) address = address.slice(0, address.indexOf(':'))
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)
  return mapped?.[1] ?? address.split('%')[0] ?? ''
}

/** Left to right as reported; `X-Forwarded-For` before `Forwarded` when a proxy sends both. */
function reportedAddresses({ headers }: IncomingMessage): string[] {
  const list = headers['x-forwarded-for']
  if (list !== undefined) return (Array.isArray(list) ? list.join(',') : list).split(',')
  return [...(headers.forwarded ?? '').matchAll(/(?:^|[;,])\s*for="?([^",;]+)"?/gi)].map((match) => match[1] ?? '')
}

function reportedProto({ headers }: IncomingMessage): 'http' | 'https' {
  const proto = headers['x-forwarded-proto'] ?? /(?:^|[;,])\s*proto="?([a-z]+)/i.exec(headers.forwarded ?? '')?.[1]
  return String(proto).split(',').at(-1)?.trim().toLowerCase() === 'https' ? 'https' : 'http'
}

function reportedHost({ headers }: IncomingMessage): string | undefined {
  const host = headers['x-forwarded-host'] ?? /(?:^|[;,])\s*host="?([^",;]+)/i.exec(headers.forwarded ?? '')?.[1]
  const last =
    String(host ?? '')
      .split(',')
      .at(-1)
      ?.trim()
      .toLowerCase() ?? ''
  return /^[a-z0-9._-]+(?::\d{1,5})?$/.test(last) ? last : undefined
}
