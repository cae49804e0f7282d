import { execFileSync } from 'node:child_process'

/** A pipe in the file system, of which nobody holds the other end: whoever opens it waits. */
export function namedPipe(path: string): string {
  execFileSync('sh', ['-c', 'mkfifo "$0"', path])
  return path
}
