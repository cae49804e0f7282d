import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

let tick: number | undefined

/**
 * Nanoseconds of CPU that a process, its threads and its descendants have used since they began, user and system together. From
 * `schedstat`, which counts nanoseconds; where the kernel has none, from `stat`, which counts clock ticks (mostly 10 ms).
 */
export function cpuTime(pid: number): number {
  let sum = 0
  for (const member of processTree(pid)) sum += scheduledTime(member) ?? tickTime(member)
  return sum
}

function scheduledTime(pid: number): number | null {
  try {
    let sum = 0
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    }
    return sum
  } catch {
    return null
  }
}

function tickTime(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  tick ??= 1e9 / Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return (Number(fields[11]) + Number(fields[12])) * tick
}

function processTree(pid: number): number[] {
  const children = readdirSync(`/proc/${pid}/task`).flatMap((thread) => {
    try {
      return readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
    } catch {
      return []
    }
  })
  return [pid, ...children.flatMap(processTree)]
}

/** What a process holds now: bytes of resident memory, and open files. */
export function holdings(pid: number): { readonly resident: number; readonly files: number } {
  const resident = Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024
  return { resident, files: readdirSync(`/proc/${pid}/fd`).length }
}

/** Resolves when the process uses less than a twentieth of a core: what a round left to do is done, and counted in that round. At most 2 s. */
export async function settled(pid: number): Promise<void> {
  let before = cpuTime(pid)
  for (const deadline = performance.now() + 2_000; performance.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 40))
    const now = cpuTime(pid)
    if (now - before < 2_000_000) return
    before = now
  }
}
