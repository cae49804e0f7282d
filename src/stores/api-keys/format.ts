import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** In ASCII order, so that texts of one width compare like the numbers they write. */
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
const ID_LENGTH = 16
const SECRET_BYTES = 32
const SECRET_LENGTH = 43
const CHECKSUM_LENGTH = 6
/** 2^256 - 1: 43 digits could write a little more, and what no key can hold is refused. */
const LARGEST_SECRET = base62(2n ** 256n - 1n, SECRET_LENGTH)

const KEY_ENVIRONMENTS = { development: 'dev', staging: 'stg', production: 'prod' } as const

/** The gateway's environment, as configured. */
export type Environment = keyof typeof KEY_ENVIRONMENTS
/** The same, as a key spells it. */
export type KeyEnvironment = (typeof KEY_ENVIRONMENTS)[Environment]

/** A new key. `key` is the secret itself: shown once, stored nowhere. */
export interface MintedApiKey {
  readonly id: string
  readonly key: string
  readonly digest: string
}

/** What a well-formed key says of itself. Well formed is not genuine. */
export interface ParsedApiKey {
  readonly environment: KeyEnvironment
  readonly id: string
}

const SHAPE = /^pgk_(dev|stg|prod)_([0-9A-Za-z]{16})_([0-9A-Za-z]{43})([0-9A-Za-z]{6})$/
const LONGEST = 'pgk_prod_'.length + ID_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH

export function keyEnvironment(environment: Environment): KeyEnvironment {
  return KEY_ENVIRONMENTS[environment]
}

/** Makes a key `pgk_<env>_<id>_<secret><checksum>`: a random id and 256 random bits. */
export function mintApiKey(environment: KeyEnvironment): MintedApiKey {
  const id = randomId()
  const secret = base62(BigInt(`0x${randomBytes(SECRET_BYTES).toString('hex')}`), SECRET_LENGTH)
  const body = `pgk_${environment}_${id}_${secret}`
  const key = body + checksum(body)
  return { id, key, digest: digestApiKey(key) }
}

/**
 * Reads a key, or null when the text is none: wrong length, alphabet, shape or checksum. There is exactly one text for a key. The checksum
 * (CRC32 of everything before it) finds typing mistakes without a lookup; it proves nothing about who made the key.
 */
export function parseApiKey(text: string): ParsedApiKey | null {
  if (text.length > LONGEST) return null
  const [, environment, id, secret, sum] = SHAPE.exec(text) ?? []
  if (!isKeyEnvironment(environment) || id === undefined || secret === undefined) return null
  if (secret > LARGEST_SECRET || checksum(text.slice(0, -CHECKSUM_LENGTH)) !== sum) return null
  return { environment, id }
}

/** What is stored of a key: SHA-256 of its whole text, in hex. */
export function digestApiKey(key: string): string {
  return hash('sha256', key, 'hex')
}

function isKeyEnvironment(text: string | undefined): text is KeyEnvironment {
  return text === 'dev' || text === 'stg' || text === 'prod'
}

/** 62 does not divide 256: bytes from 248 on are thrown away, or the first 8 letters would come more often. */
function randomId(): string {
  let id = ''
  while (id.length < ID_LENGTH) {
    for (const byte of randomBytes(ID_LENGTH)) {
      if (byte < 248 && id.length < ID_LENGTH) id += ALPHABET.charAt(byte % 62)
    }
  }
  return id
}

function checksum(body: string): string {
  let rest = crc32(body)
  let text = ''
  for (let digit = 0; digit < CHECKSUM_LENGTH; digit += 1) {
    text = ALPHABET.charAt(rest % 62) + text
    rest = Math.floor(rest / 62)
  }
  return text
}

function base62(value: bigint, width: number): string {
  let rest = value
  let text = ''
  for (let digit = 0; digit < width; digit += 1) {
    text = ALPHABET.charAt(Number(rest % 62n)) + text
    rest /= 62n
  }
  return text
}
