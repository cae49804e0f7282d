import { generateKeyPairSync, hash } from 'node:crypto'
import { checkpointText } from '../../src/audit/format/checkpoint.ts'
import { noteKey, signNote } from '../../src/audit/format/signed-note.ts'

const { privateKey } = generateKeyPairSync('ed25519')

/** A signed checkpoint over so many lines; `lines` stands for what they say. */
export function checkpoint(origin: string, size: number, lines = 'as they are'): string {
  const root = hash('sha256', `${origin} ${size} ${lines}`, 'base64')
  return signNote(checkpointText({ origin, size, root }), noteKey(origin, privateKey), privateKey)
}
