import { isIPv4 } from 'node:net'
import { KeyLoadError } from './key-load-error.ts'
import { parseStrictJson } from './strict-json.ts'

const MAX_BYTES = 512 * 1024

/**
 * Gets one JSON object from an issuer. Bounded in size (512 KiB after decompression) and by `signal` in time; follows no redirect, since
 * a redirect could lead to an address that nobody declared. The content type is not looked at: issuers serve key sets under several, and
 * what counts is that the body is one JSON object. Throws `KeyLoadError`.
 */
export async function fetchDocument(url: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  if (!isAcceptableAddress(url)) throw new KeyLoadError('address-refused')
  const body = await download(url, signal)
  try {
    return parseStrictJson(body)
  } catch (cause) {
    throw new KeyLoadError('not-json', { cause })
  }
}

async function download(url: string, signal: AbortSignal): Promise<Uint8Array> {
  try {
    const response = await fetch(url, {
      signal,
      redirect: 'manual',
      headers: { accept: 'application/json, application/jwk-set+json' },
    })
    if (response.status !== 200) {
      await response.body?.cancel()
      throw new KeyLoadError(response.status >= 300 && response.status < 400 ? 'redirected' : 'status', {
        status: response.status,
      })
    }
    return await readBounded(response)
  } catch (cause) {
    if (cause instanceof KeyLoadError) throw cause
    throw new KeyLoadError(signal.aborted ? 'timeout' : 'unreachable', { cause })
  }
}

async function readBounded(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  // Leaving the loop by the exception cancels the body and so frees its connection.
  for await (const chunk of response.body ?? []) {
    length += chunk.byteLength
    if (length > MAX_BYTES) throw new KeyLoadError('too-large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** https anywhere, http to this machine only; no user name or password in it. */
export function isAcceptableAddress(address: string): boolean {
  const url = URL.parse(address)
  if (url === null || url.username !== '' || url.password !== '') return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

/** Whether a host, as `URL` spells it, is this machine by its very name. */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
}
