import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { SigningKeys } from './writing/audit-options.ts'

/** A key file that cannot be used. Never holds a file's content. */
export class AuditKeyError extends Error {
  override readonly name = 'AuditKeyError'
  readonly file: string
  /** There is no such file: it may still be made. */
  readonly missing: boolean

  constructor(file: string, sentence: string, missing = false) {
    super(`The audit key ${file} ${sentence}.`)
    this.file = file
    this.missing = missing
  }
}

/** Reads the key that signs checkpoints, and those that did so before (their public part is enough). Throws `AuditKeyError`. */
export function loadSigningKeys(keyFile: string, previousKeyFiles: readonly string[]): SigningKeys {
  const pem = readPem(keyFile)
  if (!pem.includes('PRIVATE KEY-----'))
    throw new AuditKeyError(keyFile, `holds no private key, and it has to sign; ${howToMake(keyFile)}`)
  const privateKey = ed25519(keyFile, () => createPrivateKey(pem))
  return { privateKey, previous: previousKeyFiles.map(readPublicKey) }
}

/** A public key, also from the file of a private one. Throws `AuditKeyError`. */
function readPublicKey(file: string): KeyObject {
  const pem = readPem(file)
  return ed25519(file, () => createPublicKey(pem))
}

function ed25519(file: string, parse: () => KeyObject): KeyObject {
  let key: KeyObject
  try {
    key = parse()
  } catch {
    throw new AuditKeyError(file, `cannot be read as a key (PEM, without a password); ${howToMake(file)}`)
  }
  if (key.asymmetricKeyType === 'ed25519') return key
  throw new AuditKeyError(file, `is ${key.asymmetricKeyType ?? 'of no known kind'}, and must be Ed25519; ${howToMake(file)}`)
}

function readPem(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const code = (error as { code?: unknown } | null)?.code
    if (code === 'ENOENT') throw new AuditKeyError(file, `is not there; ${howToMake(file)}`, true)
    throw new AuditKeyError(file, `cannot be read (${String(code)})`)
  }
}

function howToMake(file: string): string {
  return `make one: openssl genpkey -algorithm ed25519 -out ${file}`
}
