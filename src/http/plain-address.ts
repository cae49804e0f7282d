import { isIP, SocketAddress } from 'node:net'

/** Without port, brackets or zone, in the one spelling of the operating system; IPv4-mapped IPv6, however written, as IPv4. */
export function plainAddress(text: string): string {
  let address = text.trim()
  const bracketed = /^\[([^\]]+)\](?::\d+)?$/.exec(address)
  if (bracketed) address = bracketed[1] ?? ''
  else if (/^\d+\.\d+\.\d+\.\d+:\d+$/.test(address)) address = address.slice(0, address.indexOf(':'))
  address = address.split('%')[0] ?? ''
  if (isIP(address) !== 6) return address
  const canonical = new SocketAddress({ address, family: 'ipv6' }).address
  return canonical.startsWith('::ffff:') && canonical.includes('.') ? canonical.slice(7) : canonical
}
