import { KeyLoadError } from './key-load-error.ts'
import { type KeyFault, readVerificationKey, type VerificationKey } from './verification-key.ts'

const MAX_KEYS = 100

/** A JWK set, read: the keys that may verify, and for every other member its place and why it may not. */
export interface KeyDocument {
  readonly keys: readonly VerificationKey[]
  readonly faults: readonly { readonly index: number; readonly fault: KeyFault }[]
}

/**
 * Reads a JWK set (RFC 7517 section 5). Members that cannot be used are passed over, as that section asks, and named in
 * `faults`. Whether a set without a usable key is acceptable is for the caller to say. Throws `KeyLoadError`.
 */
export function readKeyDocument(document: Readonly<Record<string, unknown>>): KeyDocument {
  const { keys: members } = document
  if (!Array.isArray(members)) throw new KeyLoadError('not-a-key-set')
  if (members.length > MAX_KEYS) throw new KeyLoadError('too-many-keys')
  const keys: VerificationKey[] = []
  const faults: { index: number; fault: KeyFault }[] = []
  for (const [index, member] of members.entries()) {
    const key = readVerificationKey(member)
    if (typeof key === 'string') faults.push({ index, fault: key })
    else keys.push(key)
  }
  return { keys, faults }
}
