import { BlockList, isIP } from 'node:net'

/** Networks that a key may be used from. */
export interface Networks {
  /** `unreadable`: the text is no IP address, so nothing can be said of it. */
  contain(address: string): boolean | 'unreadable'
}

interface Network {
  readonly address: string
  readonly prefix: number
  readonly family: 'ipv4' | 'ipv6'
}

const MAPPED = new BlockList()
MAPPED.addSubnet('::ffff:0:0', 96, 'ipv6')

/**
 * Compiles CIDR networks once. An IPv4-mapped IPv6 address (RFC 4291 section 2.5.5.2) counts as the IPv4 address that it stands for, in a
 * network as in a client's address. The families are kept apart, because a BlockList alone lets `::/0` cover every IPv4 address too.
 * Throws a RangeError for a text that is no network.
 */
export function compileNetworks(cidrs: readonly string[]): Networks {
  const lists = { 4: new BlockList(), 6: new BlockList() }
  for (const cidr of cidrs) {
    const network = parseNetwork(cidr)
    if (network === null) throw new RangeError('not a network in CIDR notation')
    const asIpv4 = network.family === 'ipv4' || (network.prefix >= 96 && MAPPED.check(network.address, 'ipv6'))
    lists[asIpv4 ? 4 : 6].addSubnet(network.address, network.prefix, network.family)
  }
  return {
    contain(address) {
      const version = isIP(address)
      if (version === 4) return lists[4].check(address, 'ipv4')
      if (version === 6) return lists[MAPPED.check(address, 'ipv6') ? 4 : 6].check(address, 'ipv6')
      return 'unreadable'
    },
  }
}

/** Whether a text is a network in CIDR notation (RFC 4632 section 3.1, RFC 4291 section 2.3), or one address. Bits beyond the prefix are ignored. */
export function isNetwork(text: string): boolean {
  return parseNetwork(text) !== null
}

function parseNetwork(cidr: string): Network | null {
  const [, address, digits] = /^([0-9A-Fa-f:.]+)(?:\/(0|[1-9][0-9]{0,2}))?$/.exec(cidr) ?? []
  if (address === undefined) return null
  const version = isIP(address)
  const prefix = digits === undefined ? (version === 4 ? 32 : 128) : Number(digits)
  if (version === 4 && prefix <= 32) return { address, prefix, family: 'ipv4' }
  if (version === 6 && prefix <= 128) return { address, prefix, family: 'ipv6' }
  return null
}
