import { UsageError, type VerbIo } from './arguments.ts'
import { auditProve } from './audit-prove.ts'
import { auditShow } from './audit-show.ts'
import { auditTail } from './audit-tail.ts'
import { auditVerify } from './audit-verify.ts'
import { type AuditWorld, outliveReader, WORLD } from './audit-world.ts'
import { failureText } from './command-failure.ts'
import { plainText } from './plain-text.ts'

type Action = (argv: readonly string[], io: VerbIo, world: AuditWorld) => Promise<number>

const ACTIONS: Readonly<Record<string, Action>> = { verify: auditVerify, prove: auditProve, show: auditShow, tail: auditTail }

/** `planegate audit verify | prove | show | tail`. Gives the exit code: 0 fine, 1 findings, refused or nothing found, 2 wrong usage. */
export async function audit([action = '', ...argv]: readonly string[], io: VerbIo, world: AuditWorld = WORLD): Promise<number> {
  if (world === WORLD) outliveReader()
  try {
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined
    if (act === undefined) throw new UsageError(`say what to do: ${Object.keys(ACTIONS).join(', ')}`)
    return await act(argv, io, world)
  } catch (error) {
    io.err(`planegate audit: ${error instanceof UsageError ? error.message : plainText(failureText(error))}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}
