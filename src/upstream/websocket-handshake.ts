import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** RFC 6455 section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
/** 16 bytes in base64: the last character carries two bits and four zeros. */
const KEY = /^[A-Za-z0-9+/]{21}[AQgw]==$/

/** What is wrong with an opening handshake, as a reason for operators. */
type HandshakeFault = 'upgrade-method' | 'upgrade-not-websocket' | 'upgrade-with-body' | 'websocket-version' | 'websocket-key'

/** By RFC 6455 section 4.2.1; null: nothing is wrong. */
export function handshakeFault({ method, httpVersion, headers, rawHeaders }: IncomingMessage): HandshakeFault | null {
  if (method !== 'GET' || httpVersion !== '1.1') return 'upgrade-method'
  if (headers.upgrade?.toLowerCase() !== 'websocket' || !listsUpgrade(headers.connection)) return 'upgrade-not-websocket'
  if (headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0) return 'upgrade-with-body'
  if (headers['sec-websocket-version'] !== '13') return 'websocket-version'
  const keys = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'sec-websocket-key')
  return keys.length === 1 && KEY.test(headers['sec-websocket-key'] ?? '') ? null : 'websocket-key'
}

/** Whether an answer with status 101 accepts the handshake with this key (RFC 6455 section 4.1). `rawHeaders`: names and values alternating. */
export function acceptsHandshake(rawHeaders: readonly Buffer[], key: string): boolean {
  const found = new Map<string, string>()
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = String(rawHeaders[index]).toLowerCase()
    const value = String(rawHeaders[index + 1])
    found.set(name, found.has(name) ? `${found.get(name)}, ${value}` : value)
  }
  const accept = createHash('sha1')
    .update(key + GUID)
    .digest('base64')
  return (
    found.get('upgrade')?.toLowerCase() === 'websocket' &&
    listsUpgrade(found.get('connection')) &&
    found.get('sec-websocket-accept') === accept
  )
}

function listsUpgrade(connection: string | undefined): boolean {
  return (connection ?? '').split(',').some((option) => option.trim().toLowerCase() === 'upgrade')
}
