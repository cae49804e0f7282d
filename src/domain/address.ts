/**
 * What an address is counted by: an IPv4 address itself, an IPv6 address by its /64, because one client usually owns that whole network
 * and could otherwise take a new allowance with every request. Expects an address as sockets report it, IPv4-mapped ones already as IPv4.
 */
export function addressKey(address: string): string {
  if (!address.includes(':')) return address
  const bare = address.split('%')[0] ?? ''
  const [head = '', tail] = bare.split('::')
  const before = head === '' ? [] : head.split(':')
  const after = tail === undefined || tail === '' ? [] : tail.split(':')
  const gap = tail === undefined ? 0 : Math.max(0, 8 - before.length - after.length)
  const groups = [...before, ...Array<string>(gap).fill('0'), ...after]
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`
}
