import type { Finding } from '../audit/reading/findings.ts'
import { regularFile } from '../audit/reading/regular-file.ts'
import type { Verification } from '../audit/reading/verification.ts'
import { verifyLog } from '../audit/reading/verify-log.ts'
import { parseVerbArguments, UsageError, type VerbIo } from './arguments.ts'
import { publicKeys, wholeNumber } from './audit-world.ts'
import { plainJson, plainText } from './plain-text.ts'

const OPTIONS = {
  key: { type: 'string', multiple: true },
  anchor: { type: 'string' },
  open: { type: 'boolean', default: false },
  from: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const

/** `planegate audit verify DIR --key PUB [--key PUB2] [--anchor FILE] [--open] [--from N] [--json]`. */
export async function auditVerify(argv: readonly string[], io: VerbIo): Promise<number> {
  const { values, positionals } = parseVerbArguments(argv, OPTIONS, 1)
  const [directory] = positionals
  if (directory === undefined || directory === '') throw new UsageError('say which directory: audit verify DIR --key PUB')
  const keys = publicKeys(values.key)
  const from = values.from === undefined ? null : wholeNumber('--from', values.from)
  const anchor = values.anchor ?? null
  if (anchor !== null && regularFile(anchor) === null) throw new UsageError('--anchor takes a file that can be read')
  const result = await verifyLog({ directory, keys, anchor, open: values.open, from })
  io.out(values.json ? `${plainJson(result)}\n` : described(result))
  return result.ok ? 0 : 1
}

function described(result: Verification): string {
  const { lines, segments, checkpoints, covered, findings, ok } = result
  const counts = `${lines} lines in ${segments} segments; ${checkpoints} checkpoints cover ${covered} lines`
  const head = ok ? `The log holds: ${counts}.` : `The log does not hold: ${findings.length} findings. Read: ${counts}.`
  const facts: readonly (readonly [string, string | null])[] = [
    ['log', result.origin],
    ['from', result.firstTime],
    ['to', result.lastTime],
    ['signed by', result.signers.join(', ') || null],
    ['shed', result.shed === 0 ? null : `${result.shed} records could not be kept; the log says so itself`],
    ...result.torn.map(({ file, bytes }) => ['torn end', `${file}: ${bytes} bytes, named by the start after the crash`] as const),
    ...result.notes.map((note) => ['note', note] as const),
  ]
  const rows = facts.flatMap(([name, text]) => (text ? [`  ${name.padEnd(9)}  ${text}`] : []))
  return `${[...findings.map(findingLine), head, ...rows].map(plainText).join('\n')}\n`
}

/** `file:line: code: sentence (line of the log, byte)`. */
function findingLine({ code, file, line, seq, offset, message }: Finding): string {
  const where = [seq === null ? null : `line ${seq} of the log`, offset === null ? null : `byte ${offset} of the file`].filter(
    Boolean,
  )
  const place = [file, line].filter((part) => part !== null).join(':')
  return `${place === '' ? '' : `${place}: `}${code}: ${message}${where.length > 0 ? ` (${where.join(', ')})` : ''}`
}
