import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'

export type IdentityAlgorithm = 'EdDSA' | 'ES256' | 'RS256'

/** A public key as published (RFC 7517). Only public members ever exist here. */
interface PublicJwk {
  readonly kty: string
  readonly kid: string
  readonly alg: IdentityAlgorithm
  readonly use: 'sig'
  readonly crv?: string
  readonly x?: string
  readonly y?: string
  readonly n?: string
  readonly e?: string
}

export interface PublicJwks {
  readonly keys: readonly PublicJwk[]
}

/** The key that signs now. The private part stays inside. */
export interface SigningKey {
  readonly kid: string
  readonly algorithm: IdentityAlgorithm
  /** Signature of the text in base64url, as a JWS wants it (RFC 7515 section 5.1). About 25 µs; RS256 ten times that. */
  sign(input: string): string
}

export interface IdentityKeys {
  readonly current: SigningKey
  /** Public keys, the current one first, then the previous ones: what `/.well-known/jwks.json` shows. */
  jwks(): PublicJwks
}

/** One key file that cannot be used. */
export interface IdentityKeyFault {
  readonly file: string
  /** There is no such file: it may still be made. */
  readonly missing: boolean
  readonly sentence: string
}

/** Every key file that cannot be used, one sentence each. Never holds a file's content. */
export class IdentityKeyError extends Error {
  override readonly name = 'IdentityKeyError'
  readonly faults: readonly IdentityKeyFault[]

  constructor(faults: readonly IdentityKeyFault[]) {
    super(faults.map(({ sentence }) => sentence).join('\n'))
    this.faults = faults
  }
}

/**
 * Reads the identity key and the keys that came before it. A key is PEM (PKCS#8, PKCS#1 or SEC 1): Ed25519, EC P-256, or RSA of at least
 * 2048 bits. A previous key may be its public part alone, since it signs nothing. Read once, at start.
 *
 * @throws IdentityKeyError naming every unusable file and what to put there instead
 */
export function loadIdentityKeys(files: { keyFile: string; previousKeyFiles: readonly string[] }): IdentityKeys {
  const faults: IdentityKeyFault[] = []
  const attempt = <T>(file: string, read: (file: string) => T): T | null => {
    try {
      return read(file)
    } catch (error) {
      if (!(error instanceof IdentityKeyError)) throw error
      faults.push(...error.faults)
      return null
    }
  }
  const current = attempt(files.keyFile, readSigningKey)
  const previous = files.previousKeyFiles.map((file) => attempt(file, (name) => publish(name, readPublicKey(name))))
  if (current === null || faults.length > 0) throw new IdentityKeyError(faults)

  // A key listed twice (its private and its public file, say) is one key: verifiers refuse a set in which a kid is ambiguous.
  const published = new Map([current.jwk, ...previous].filter((jwk) => jwk !== null).map((jwk) => [jwk.kid, jwk]))
  const jwks: PublicJwks = Object.freeze({ keys: Object.freeze([...published.values()]) })
  return { current: current.key, jwks: () => jwks }
}

/** A new Ed25519 key that is kept nowhere: for decisions that nobody acts on. */
export function generatedIdentityKeys(): IdentityKeys {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const jwk = publish('(generated)', publicKey)
  const jwks: PublicJwks = Object.freeze({ keys: Object.freeze([jwk]) })
  return { current: { kid: jwk.kid, algorithm: jwk.alg, sign: signerFor(jwk.alg, privateKey) }, jwks: () => jwks }
}

/** First 16 hex digits of the SHA-256 of the SubjectPublicKeyInfo (DER). Tells keys apart; proves nothing by itself. */
export function keyIdOf(publicKey: KeyObject): string {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(spki).digest('hex').slice(0, 16)
}

function readSigningKey(file: string): { readonly key: SigningKey; readonly jwk: PublicJwk } {
  const pem = readPem(file)
  if (!pem.includes('PRIVATE KEY-----')) {
    throw refuse(file, `holds no private key, and the identity key has to sign; ${howToMake(file)}`)
  }
  const privateKey = parse(file, () => createPrivateKey(pem))
  const jwk = publish(file, createPublicKey(privateKey))
  return { jwk, key: { kid: jwk.kid, algorithm: jwk.alg, sign: signerFor(jwk.alg, privateKey) } }
}

function readPublicKey(file: string): KeyObject {
  const pem = readPem(file)
  return parse(file, () => createPublicKey(pem))
}

function publish(file: string, publicKey: KeyObject): PublicJwk {
  const alg = algorithmOf(file, publicKey)
  // The export of a public key has public members only, whatever kind of file it came from.
  const members = publicKey.export({ format: 'jwk' }) as Omit<PublicJwk, 'kid' | 'alg' | 'use'>
  return Object.freeze({ ...members, kid: keyIdOf(publicKey), alg, use: 'sig' })
}

function algorithmOf(file: string, key: KeyObject): IdentityAlgorithm {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {}
  switch (key.asymmetricKeyType) {
    case 'ed25519':
      return 'EdDSA'
    case 'ec':
      if (namedCurve === 'prime256v1') return 'ES256'
      throw refuse(
        file,
        `holds an EC key on the curve ${namedCurve ?? 'of its own parameters'}, but ES256 needs P-256; ${howToMake(file)}`,
      )
    case 'rsa':
      if (modulusLength >= 2048) return 'RS256'
      throw refuse(file, `holds an RSA key of ${modulusLength} bits, but RS256 needs at least 2048; ${howToMake(file)}`)
    default:
      throw refuse(
        file,
        `holds a key of type ${key.asymmetricKeyType}, but only Ed25519, EC P-256 and RSA can sign; ${howToMake(file)}`,
      )
  }
}

function signerFor(algorithm: IdentityAlgorithm, key: KeyObject): SigningKey['sign'] {
  const digest = algorithm === 'EdDSA' ? null : 'sha256'
  // JOSE wants r and s side by side (RFC 7518 section 3.4), not the DER that OpenSSL writes by default.
  const input = algorithm === 'ES256' ? ({ key, dsaEncoding: 'ieee-p1363' } as const) : key
  return (text) => sign(digest, Buffer.from(text, 'latin1'), input).toString('base64url')
}

function readPem(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') throw refuse(file, `does not exist; ${howToMake(file)}`, true)
    if (code === 'EACCES') throw refuse(file, 'cannot be read by this user; give its owner read access (chmod 600, chown)')
    throw refuse(file, `cannot be read (${code ?? 'unknown error'}); name a file that holds one PEM key`)
  }
  // Asked before parsing: OpenSSL would prompt for the passphrase on a terminal.
  if (text.includes('ENCRYPTED')) {
    throw refuse(
      file,
      `is encrypted, and there is nowhere to give a passphrase; decrypt it with "openssl pkey -in ${file} -out <new file>"`,
    )
  }
  if (!text.includes('-----BEGIN ')) throw refuse(file, `is ${text.trim() === '' ? 'empty' : 'not PEM'}; ${howToMake(file)}`)
  return text
}

function parse(file: string, read: () => KeyObject): KeyObject {
  try {
    return read()
  } catch {
    // OpenSSL's words are left out: they name its internals, and for some formats every failure reads the same.
    throw refuse(file, `holds no PEM key that can be read (PKCS#8, PKCS#1 and SEC 1 are); ${howToMake(file)}`)
  }
}

function howToMake(file: string): string {
  return `make one with "planegate init" or "openssl genpkey -algorithm ed25519 -out ${file}"`
}

function refuse(file: string, problem: string, missing = false): IdentityKeyError {
  return new IdentityKeyError([{ file, missing, sentence: `identity key ${file} ${problem}` }])
}
