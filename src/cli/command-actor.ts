import { hostname, userInfo } from 'node:os'

/** Who runs the command, as the audit log names them: `command-line user@host`. Says what the system says, and proves nothing. */
export function commandActor(): string {
  return `command-line ${userName()}@${hostname()}`
}

/** A container may run as a user without a name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return `uid-${process.getuid?.() ?? 'unknown'}`
  }
}
