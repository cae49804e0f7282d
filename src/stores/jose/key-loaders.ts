import { readFile } from 'node:fs/promises'
import { BlockList, isIP } from 'node:net'
import type { Provider } from '../../domain/provider.ts'
import { fetchDocument, isAcceptableAddress, isLoopback } from './bounded-fetch.ts'
import { readKeyDocument } from './key-document.ts'
import { KeyLoadError } from './key-load-error.ts'
import { parseStrictJson } from './strict-json.ts'
import type { VerificationKey } from './verification-key.ts'

/** Gets the keys of one provider; never none. Throws `KeyLoadError`. */
export type KeyLoader = (signal: AbortSignal) => Promise<readonly VerificationKey[]>

/** How the keys of a provider are got, and whether getting them again can bring others. */
export function keyLoader(provider: Pick<Provider, 'issuer' | 'keys'>): {
  readonly load: KeyLoader
  readonly refreshed: boolean
} {
  const { keys, issuer } = provider
  switch (keys.from) {
    case 'file':
      return { load: () => loadFile(keys.path), refreshed: false }
    case 'url':
      return { load: (signal) => loadUrl(keys.url, signal), refreshed: true }
    case 'discovery':
      return { load: async (signal) => loadUrl(await discoverKeySet(issuer, signal), signal), refreshed: true }
  }
}

/** A JWKS file is the operator's own, so every mistake in it is named. It is read once: a changed file takes effect at the next start. */
async function loadFile(path: string): Promise<readonly VerificationKey[]> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new KeyLoadError('file-unreadable', { message: `the key set ${path} cannot be read`, cause })
  })
  const { keys, faults } = readKeyDocument(parseFile(path, bytes))
  const mistakes = faults.filter(({ fault }) => fault !== 'other-use').map(({ index, fault }) => `keys[${index}]: ${fault}`)
  if (mistakes.length > 0)
    throw new KeyLoadError('file-faulty', { message: `the key set ${path} has mistakes: ${mistakes.join(', ')}` })
  if (keys.length === 0) throw new KeyLoadError('no-usable-key', { message: `the key set ${path} has no key for signatures` })
  return keys
}

function parseFile(path: string, bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    return parseStrictJson(bytes)
  } catch (cause) {
    throw new KeyLoadError('not-json', { message: `the key set ${path} is not one JSON object`, cause })
  }
}

/** A set without a usable key is a failed load: a sick endpoint that answers `{"keys":[]}` must not lock everybody out. */
async function loadUrl(url: string, signal: AbortSignal): Promise<readonly VerificationKey[]> {
  const { keys } = readKeyDocument(await fetchDocument(url, signal))
  if (keys.length === 0) throw new KeyLoadError('no-usable-key')
  return keys
}

/**
 * `jwks_uri` of the issuer's metadata (OpenID Connect Discovery 1.0 section 4, else RFC 8414 section 3). The metadata must name exactly
 * the issuer that was asked (section 4.3 there, 3.3 here), or one tenant of a host could speak for another.
 */
async function discoverKeySet(issuer: string, signal: AbortSignal): Promise<string> {
  const metadata = await fetchMetadata(issuer, signal)
  if (metadata.issuer !== issuer) throw new KeyLoadError('issuer-mismatch')
  const { jwks_uri: address } = metadata
  if (typeof address !== 'string') throw new KeyLoadError('not-a-key-set', { message: 'the metadata has no jwks_uri' })
  if (!isAcceptableKeyAddress(address, issuer)) throw new KeyLoadError('address-refused')
  return address
}

async function fetchMetadata(issuer: string, signal: AbortSignal): Promise<Readonly<Record<string, unknown>>> {
  const url = URL.parse(issuer)
  if (url === null) throw new KeyLoadError('address-refused')
  const path = url.pathname.replace(/\/$/, '')
  try {
    return await fetchDocument(`${url.origin}${path}/.well-known/openid-configuration`, signal)
  } catch (error) {
    if (!(error instanceof KeyLoadError && error.status === 404)) throw error
    return fetchDocument(`${url.origin}/.well-known/oauth-authorization-server${path}`, signal)
  }
}

const internal = new BlockList()
for (const network of [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
]) {
  const [address = '', bits] = network.split('/')
  internal.addSubnet(address, Number(bits), 'ipv4')
}
for (const network of ['::/127', 'fc00::/7', 'fe80::/10']) {
  const [address = '', bits] = network.split('/')
  internal.addSubnet(address, Number(bits), 'ipv6')
}

/**
 * An address that an issuer names, other than one that the operator declared, may not lead into the operator's own network: the
 * issuer's own host, or https to a host that is not an internal address. A name that resolves to an internal address is not found out
 * here; that the host must hold a certificate for that name stands against it.
 */
function isAcceptableKeyAddress(address: string, issuer: string): boolean {
  const url = URL.parse(address)
  if (url === null || !isAcceptableAddress(address)) return false
  const home = new URL(issuer)
  if (url.hostname === home.hostname) return url.protocol === 'https:' || home.protocol === 'http:'
  if (isLoopback(home.hostname) && isLoopback(url.hostname)) return true
  if (url.protocol !== 'https:' || isLoopback(url.hostname)) return false
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const version = isIP(host)
  return version === 0 || !internal.check(host, version === 4 ? 'ipv4' : 'ipv6')
}
