import { createPrivateKey, generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

/** The key of the development issuer cannot be had. The message names the file and what to do; it holds no key. */
export class DevelopmentKeyError extends Error {
  override readonly name = 'DevelopmentKeyError'
}

/**
 * The Ed25519 private key in this file, made if the file is not there: mode 0600, in a folder that is made if need be. Two processes
 * that start together agree on one key: the file appears whole, under its name, for whoever links it first. Throws `DevelopmentKeyError`.
 */
export function developmentKey(file: string): KeyObject {
  try {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
    return parse(file, readIfThere(file) ?? create(file))
  } catch (cause) {
    if (cause instanceof DevelopmentKeyError) throw cause
    throw new DevelopmentKeyError(`the development key ${file} can be neither read nor made`, { cause })
  }
}

/** Writes a file that others may be reading: they see the old content or the new, never a part. */
export function replaceFile(file: string, content: string): void {
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, content, { mode: 0o644, flag: 'wx' })
  renameSync(draft, file)
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

function create(file: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const draft = `${file}.${randomUUID()}`
  writeFileSync(draft, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600, flag: 'wx' })
  try {
    // A link fails where the name is taken, a rename would put a second key over the first.
    linkSync(draft, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  return readFileSync(file, 'utf8')
}

function parse(file: string, pem: string): KeyObject {
  const key = importKey(pem)
  if (key?.asymmetricKeyType !== 'ed25519') {
    throw new DevelopmentKeyError(
      `the development key ${file} holds no Ed25519 private key; remove the file and a new one is made`,
    )
  }
  return key
}

function importKey(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem)
  } catch {
    return null
  }
}
