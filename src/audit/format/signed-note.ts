import { createPublicKey, hash, type KeyObject, sign, verify } from 'node:crypto'

/** A key that signs notes (c2sp.org/signed-note): Ed25519, under a name. */
export interface NoteKey {
  readonly name: string
  /** The first four bytes of SHA-256 over name, newline, the type byte 1 and the public key. */
  readonly id: Buffer
  readonly publicKey: KeyObject
}

/** A signature as a note carries it: who says so, and the signature itself, still to be verified. */
export interface NoteSignature {
  readonly name: string
  readonly id: Buffer
  readonly signature: Buffer
}

/** A note taken apart. The text ends in a newline and is what is signed. */
export interface Note {
  readonly text: string
  readonly signatures: readonly NoteSignature[]
}

const ED25519_NOTE = 1
const MOST_SIGNATURES = 16
const SIGNATURE_LINE = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})$/u

/** Throws a sentence when the key is not Ed25519. Takes a private key too. */
export function noteKey(name: string, key: KeyObject): NoteKey {
  const publicKey = key.type === 'public' ? key : createPublicKey(key)
  const { crv, x = '' } = publicKey.export({ format: 'jwk' })
  if (crv !== 'Ed25519') throw new Error('The audit key must be an Ed25519 key.')
  const named = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([ED25519_NOTE]), Buffer.from(x, 'base64url')])
  return { name, id: hash('sha256', named, 'buffer').subarray(0, 4), publicKey }
}

/** The note with one signature. `text` ends in a newline. */
export function signNote(text: string, key: NoteKey, privateKey: KeyObject): string {
  const signature = Buffer.concat([key.id, sign(null, Buffer.from(text), privateKey)])
  return `${text}\n\u2014 ${key.name} ${signature.toString('base64')}\n`
}

/**
 * Takes a note apart, or null when it is none. Strict: what is accepted here is written in exactly one way, so that no byte of it can change unseen. Says nothing
 * about the signatures; `signedBy` does.
 */
export function parseNote(note: string): Note | null {
  const end = note.lastIndexOf('\n\n')
  if (end <= 0 || !note.endsWith('\n') || /[\x00-\x09\x0b-\x1f]/.test(note)) return null
  const lines = note.slice(end + 2, -1).split('\n')
  if (lines.length > MOST_SIGNATURES) return null
  const signatures: NoteSignature[] = []
  for (const line of lines) {
    const [, name = '', base64 = ''] = SIGNATURE_LINE.exec(line) ?? []
    const bytes = Buffer.from(base64, 'base64')
    if (bytes.length <= 4 || bytes.toString('base64') !== base64) return null
    signatures.push({ name, id: bytes.subarray(0, 4), signature: bytes.subarray(4) })
  }
  return { text: note.slice(0, end + 1), signatures }
}

/** Whether one of the keys signed the text; a signature in the name of a known key that does not hold refuses the whole note. */
export function signedBy({ text, signatures }: Note, keys: readonly NoteKey[]): boolean {
  let signed = false
  for (const { name, id, signature } of signatures) {
    const key = keys.find((known) => known.name === name && known.id.equals(id))
    if (key === undefined) continue
    if (!verify(null, Buffer.from(text), key.publicKey, signature)) return false
    signed = true
  }
  return signed
}
