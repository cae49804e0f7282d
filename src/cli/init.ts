import { generateKeyPairSync } from 'node:crypto'
import { lstatSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parseVerbArguments, type VerbIo } from './arguments.ts'
import { initialFiles } from './initial-configuration.ts'

/**
 * `init [DIR]`: writes a small configuration with fresh keys. Returns 1, having written nothing, when one of its files is there
 * already. Throws `UsageError`.
 */
export async function init(argv: readonly string[], io: VerbIo): Promise<number> {
  const { values, positionals } = parseVerbArguments(argv, { json: { type: 'boolean', default: false } }, 1)
  const folder = positionals[0] ?? './config'
  const files = [...textFiles(), ...keyFiles()].map((file) => ({ ...file, path: join(folder, file.name) }))
  const taken = existing(files.map(({ path }) => path))
  if (taken.length > 0) {
    if (values.json) io.out(`${JSON.stringify({ ok: false, existing: taken })}\n`)
    io.err(`nothing was written, because these files exist: ${taken.join(', ')}\n`)
    return 1
  }
  try {
    for (const { path, content, mode } of files) writeNew(path, content, mode)
  } catch (error) {
    io.err(`${folder} cannot be written: ${error instanceof Error ? error.message : 'unknown error'}\n`)
    return 1
  }
  const paths = files.map(({ path }) => path)
  if (values.json) io.out(`${JSON.stringify({ ok: true, files: paths })}\n`)
  else
    io.out(`${paths.map((path) => `wrote ${path}`).join('\n')}\nnext: planegate check --config ${join(folder, 'gateway.yaml')}\n`)
  return 0
}

interface NewFile {
  readonly name: string
  readonly content: string
  readonly mode: number
}

function textFiles(): NewFile[] {
  return [...initialFiles()].map(([name, content]) => ({ name, content, mode: 0o644 }))
}

/** Ed25519 pairs: one signs identities, the other the state of the audit log; its public half is for whoever verifies that. */
function keyFiles(): NewFile[] {
  const pair = () =>
    generateKeyPairSync('ed25519', {
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
  const audit = pair()
  return [
    { name: 'keys/identity.pem', content: pair().privateKey, mode: 0o600 },
    { name: 'keys/audit.pem', content: audit.privateKey, mode: 0o600 },
    { name: 'keys/audit.pub.pem', content: audit.publicKey, mode: 0o644 },
  ]
}

/** Fails when the file appeared in the meantime, instead of writing over it. */
function writeNew(path: string, content: string, mode: number): void {
  // A folder that is made for a private key is nobody else's to look into.
  mkdirSync(dirname(path), { recursive: true, mode: mode === 0o600 ? 0o700 : 0o777 })
  writeFileSync(path, content, { mode, flag: 'wx' })
}

/** Those of the paths where something stands. A dangling link counts: writing through it would create a file elsewhere. */
function existing(paths: readonly string[]): string[] {
  return paths.filter((path) => {
    try {
      return lstatSync(path, { throwIfNoEntry: false }) !== undefined
    } catch {
      // A file where a folder should be, or a folder that may not be entered: writing will say so.
      return false
    }
  })
}
