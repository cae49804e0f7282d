import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { listSegments } from '../../src/audit/format/segments.ts'
import type { Lifetime, Serving } from './program.ts'

/** Of util-linux. Without the right to mount, only the first is needed. */
const [PRLIMIT, MOUNT, UMOUNT, UNSHARE] = ['prlimit', 'mount', 'umount', 'unshare'] as const
/** Takes away the room for the log, and gives it back. */
export interface Trouble {
  readonly name: string
  /** Gives a directory for the log; null: the usual one. */
  prepare(test: Lifetime): string | null
  begin(directory: string, gateway: Serving): Promise<void>
  end(directory: string, gateway: Serving | null): void
}

/** A file system of its own in memory. Needs the right to mount one. */
const SMALL_DISK: Trouble = {
  name: 'the disk is full',
  prepare(test) {
    const directory = mkdtempSync(join(tmpdir(), 'planegate-disk-'))
    execFileSync(MOUNT, ['-t', 'tmpfs', '-o', 'size=96m,mode=700', 'planegate-test', directory])
    test.after(() => {
      // Also while a gateway that failed the test still writes to it.
      execFileSync(UMOUNT, ['--lazy', directory])
      rmdirSync(directory)
    })
    return directory
  },
  async begin(directory) {
    const block = Buffer.alloc(1024 * 1024)
    const fillTo = (bytes: Buffer) => {
      try {
        for (;;) writeFileSync(join(directory, 'filler'), bytes, { flag: 'a' })
      } catch (error) {
        assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC')
      }
    }
    fillTo(block)
    fillTo(block.subarray(0, 512))
  },
  end: (directory) => rmSync(join(directory, 'filler')),
}

/** The next best for who may not mount: no file may grow. The database is among them, so its answers are those of a full disk too. */
export const SIZE_LIMIT: Trouble = {
  name: 'no file may grow',
  prepare: () => null,
  async begin(directory, { program }) {
    const { segments } = await listSegments(directory)
    const { size } = statSync(join(directory, segments.at(-1)?.file ?? ''))
    execFileSync(PRLIMIT, ['--pid', String(program.child.pid), `--fsize=${size + 1000}:`])
  },
  end(_directory, gateway) {
    // The limit ends with its process.
    if (gateway === null) return
    execFileSync(PRLIMIT, ['--pid', String(gateway.program.child.pid), '--fsize=unlimited:'])
  },
}

export const CHECKPOINTS: Trouble = {
  name: 'only the file of checkpoints cannot be written',
  prepare: () => null,
  async begin(directory) {
    renameSync(join(directory, 'audit.checkpoints'), `${directory}.checkpoints`)
    mkdirSync(join(directory, 'audit.checkpoints'))
  },
  end(directory) {
    rmdirSync(join(directory, 'audit.checkpoints'))
    renameSync(`${directory}.checkpoints`, join(directory, 'audit.checkpoints'))
  },
}

function mayMount(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    execFileSync(UNSHARE, ['--mount', 'mount', '-t', 'tmpfs', 'planegate-test', '/tmp'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** The disk is full, as far as this user can make it so. */
export const FULL = mayMount() ? SMALL_DISK : SIZE_LIMIT
