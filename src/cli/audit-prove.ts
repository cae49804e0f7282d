import { readFileSync } from 'node:fs'
import { toBase64 } from '../audit/format/merkle-tree.ts'
import { proofText } from '../audit/format/proof-text.ts'
import { checkProof, NotProven, type ProvenLine, proveLine } from '../audit/reading/prove.ts'
import { DEFAULT_CONFIG, parseVerbArguments, UsageError, type VerbIo } from './arguments.ts'
import { type AuditWorld, publicKeys, unreadableDirectory, wholeNumber } from './audit-world.ts'
import { CommandFailure } from './command-failure.ts'
import { plainJson, plainText } from './plain-text.ts'

const OPTIONS = {
  key: { type: 'string', multiple: true },
  check: { type: 'string' },
  origin: { type: 'string' },
  config: { type: 'string', default: DEFAULT_CONFIG },
  json: { type: 'boolean', default: false },
} as const

/** `planegate audit prove N [DIR] --key PUB`, and `planegate audit prove --check FILE|- --key PUB [--origin O]`. */
export async function auditProve(argv: readonly string[], io: VerbIo, world: AuditWorld): Promise<number> {
  const { values, positionals } = parseVerbArguments(argv, OPTIONS, 2)
  const keys = publicKeys(values.key)
  const [line, directory] = positionals
  if ((line === undefined) === (values.check === undefined))
    throw new UsageError('say which line: audit prove N --key PUB; or check a proof: --check FILE')
  try {
    if (values.check !== undefined) {
      const checked = checkProof(readProof(values.check, world), keys, values.origin ?? null)
      io.out(values.json ? `${plainJson({ ok: true, ...members(checked) })}\n` : described(checked))
    } else {
      if (values.origin !== undefined) throw new UsageError('--origin belongs to --check')
      const seq = wholeNumber('N, the number of the line,', line ?? '')
      const proven = await provenLine(directory ?? world.configured(values.config).directory, seq, keys)
      io.out(values.json ? `${plainJson(members(proven))}\n` : proofText(proven.proof))
    }
    return 0
  } catch (error) {
    if (!(error instanceof NotProven || error instanceof CommandFailure)) throw error
    if (values.json) io.out(`${plainJson({ ok: false, message: error.message })}\n`)
    throw new CommandFailure(error.message)
  }
}

async function provenLine(directory: string, seq: number, keys: Parameters<typeof proveLine>[2]): Promise<ProvenLine> {
  try {
    return await proveLine(directory, seq, keys)
  } catch (error) {
    throw error instanceof NotProven ? error : unreadableDirectory(directory, error)
  }
}

function readProof(file: string, world: AuditWorld): string {
  try {
    return file === '-' ? world.readInput() : readFileSync(file, 'utf8')
  } catch {
    throw new CommandFailure('--check: the proof cannot be read')
  }
}

function members({ proof, record, origin, size }: ProvenLine): object {
  const { extra, index, hashes, checkpoint } = proof
  return { index, size, origin, extra: extra.toString('base64'), hashes: hashes.map(toBase64), checkpoint, record }
}

function described({ proof, record, origin, size }: ProvenLine): string {
  const head = `The proof holds: line ${proof.index + 1} of ${JSON.stringify(origin)}, among the first ${size} that were signed, is`
  return `${plainText(head)}\n${plainJson(record)}\n`
}
