import type { IncomingMessage } from 'node:http'
import { BlockList, isIP, SocketAddress } from 'node:net'
import type { Origin } from '../domain/inbound.ts'
import { reportedBy } from './forwarded.ts'

/** Who is asking, and what the upstream will be told of the way here. */
export interface ClientAddress {
  readonly address: string
  readonly origin: Origin
}

/**
 * Reads the client's address. `X-Forwarded-*` and `Forwarded` (RFC 7239) count only when the peer is in `trustedProxies` (CIDR or addresses): then the
 * address is the rightmost one that no trusted proxy has, and everything left of it, which the client could have written itself, is dropped. Where both
 * headers come and do not agree, one of them is the client's own, and neither counts.
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
    const told = reportedBy(request)
    const addresses = [peer]
    for (let index = told.addresses.length - 1; index >= 0 && isTrusted(addresses[0] ?? ''); index -= 1) {
      const next = plainAddress(told.addresses[index] ?? '')
      if (isIP(next) === 0) break
      addresses.unshift(next)
    }
    return { address: addresses[0] ?? peer, origin: { addresses, proto: told.proto, host: told.host ?? host } }
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

/** Without port, brackets or zone, in the one spelling of the operating system; IPv4-mapped IPv6, however written, as IPv4. */
function plainAddress(text: string): string {
  let address = text.trim()
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)
  if (bracketed) address = bracketed[1] ?? ''
  else if (/^\d+\.\d+\.\d+\.\d+:\d+$/.test(address)) address = address.slice(0, address.indexOf(':'))
  address = address.split('%')[0] ?? ''
  if (isIP(address) !== 6) return address
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address
  return canonical.startsWith('::ffff:') && canonical.includes('.') ? canonical.slice(7) : canonical
}
