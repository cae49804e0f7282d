import type { IncomingMessage } from 'node:http'
import { BlockList, isIP } from 'node:net'
import type { Malformation, Origin } from '../domain/inbound.ts'
import { reportedBy } from './forwarded.ts'
import { plainAddress } from './plain-address.ts'

/** Who is asking, and what the upstream will be told of the way here. */
export interface ClientAddress {
  readonly address: string
  readonly origin: Origin
  /** What a trusted proxy reports has no single reading, so that nobody can say who is asking; null: it has. */
  readonly malformed: Malformation | null
}

/**
 * Reads the client's address. `X-Forwarded-*` and `Forwarded` (RFC 7239) count only when the peer is in `trustedProxies` (CIDR or addresses): then the
 * address is the rightmost one that no trusted proxy has, and everything left of it, which the client could have written itself, is dropped. Where that
 * cannot be read, or two headers do not agree because one of them is the client's own, the request is malformed: the proxy's own address in its place would
 * pass for an inside client.
 */
export function clientAddressReader(trustedProxies: readonly string[]): (request: IncomingMessage) => ClientAddress {
  const trusted = blockList(trustedProxies)
  const isTrusted = (address: string) => isIP(address) !== 0 && trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  return (request) => {
    const peer = plainAddress(request.socket.remoteAddress ?? '')
    const host = request.headers.host ?? ''
    if (trustedProxies.length === 0 || !isTrusted(peer)) {
      return { address: peer, origin: { addresses: [peer], proto: 'http', host }, malformed: null }
    }
    const told = reportedBy(request)
    const addresses = [peer]
    let malformed: Malformation | null = told.contradictory
      ? { code: 'request-malformed', reason: 'forwarded-headers-differ' }
      : null
    for (let index = told.addresses.length - 1; index >= 0 && isTrusted(addresses[0] ?? ''); index -= 1) {
      const next = told.addresses[index] ?? ''
      if (isIP(next) === 0) {
        malformed ??= { code: 'request-malformed', reason: 'forwarded-address-invalid' }
        break
      }
      addresses.unshift(next)
    }
    return { address: addresses[0] ?? peer, origin: { addresses, proto: told.proto, host: told.host ?? host }, malformed }
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
