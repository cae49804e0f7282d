import { readFileSync } from 'node:fs'
import { Secret } from '../domain/secret.ts'
import type { SecretReference } from './gateway.ts'

/** A reference that leads to no usable secret. Names the reference, never what was found there. */
export class SecretUnresolved extends Error {
  override readonly name = 'SecretUnresolved'
}

/** Shortest accepted admin token, in characters. */
const ADMIN_TOKEN_LENGTH = 32

/**
 * Fetches the secret that a reference names; line ends at the end of a file do not belong to it.
 * Throws `SecretUnresolved` when there is none or it is shorter than `minLength` characters.
 */
export function resolveSecret(reference: SecretReference, env: NodeJS.ProcessEnv, minLength = 1): Secret {
  const name = describeReference(reference)
  const found = 'env' in reference ? env[reference.env] : fromFile(reference.file, name)
  const text = found?.replace(/[\r\n]+$/, '') ?? ''
  if (text === '') throw new SecretUnresolved(`${name} is ${found === undefined ? 'not set' : 'empty'}`)
  if (text.length < minLength) throw new SecretUnresolved(`${name} is too short: at least ${minLength} characters are needed`)
  return new Secret(text)
}

/** The admin token, which must be long enough not to be guessed. Throws `SecretUnresolved`. */
export function resolveAdminToken(reference: SecretReference, env: NodeJS.ProcessEnv): Secret {
  return resolveSecret(reference, env, ADMIN_TOKEN_LENGTH)
}

function describeReference(reference: SecretReference): string {
  return 'env' in reference ? `environment variable ${reference.env}` : `file ${reference.file}`
}

function fromFile(file: string, name: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new SecretUnresolved(`${name} cannot be read (${String((error as { code?: unknown }).code)})`)
  }
}
