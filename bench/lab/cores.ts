import { readFileSync } from 'node:fs'

/** Which core the contestant has for itself, and which are left for load and upstream. */
export interface Cores {
  readonly contestant: number
  /** The same core again where there is only one: then rates say little, CPU per request still counts. */
  readonly others: readonly number[]
}

/** From the cores that this process may use. */
export function chooseCores(allowed: readonly number[] = allowedCores()): Cores {
  const [contestant = 0, ...others] = allowed
  return { contestant, others: others.length > 0 ? others : [contestant] }
}

/** Arguments that start a command on these cores only. */
export function pinned(cores: readonly number[], argv: readonly string[]): string[] {
  return ['taskset', '-c', cores.join(','), ...argv]
}

function allowedCores(): number[] {
  const list = /^Cpus_allowed_list:\s+(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0'
  return parseCores(list)
}

/** `0-2,5` as the kernel writes it. */
export function parseCores(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = 0, last = first] = part.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
