import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

/** Programs that are measured against or with, and the Debian packages that they come in. */
const PACKAGES = { nginx: 'nginx-light', haproxy: 'haproxy', wrk: 'wrk', taskset: 'util-linux' } as const

export type Tool = keyof typeof PACKAGES

/** Paths of the tools that are there; those that are not are missing from it. */
export type Tools = ReadonlyMap<Tool, string>

/** Finds the tools, and as root on Debian installs what is missing. `say` is told what is done and what stays missing. */
export function findTools(say: (line: string) => void): Tools {
  const wanted = (Object.keys(PACKAGES) as Tool[]).filter((tool) => pathOf(tool) === null)
  if (wanted.length > 0) install(wanted, say)
  const found = new Map<Tool, string>()
  for (const tool of Object.keys(PACKAGES) as Tool[]) {
    const path = pathOf(tool)
    if (path === null) say(`${tool} is missing (Debian: apt-get install ${PACKAGES[tool]}): what needs it is left out.`)
    else found.set(tool, path)
  }
  return found
}

function install(wanted: readonly Tool[], say: (line: string) => void): void {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return
  say(`Installing ${wanted.join(', ')}.`)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' })
  // One by one: a package that this release does not have must not keep the others away.
  for (const tool of wanted) {
    spawnSync('apt-get', ['install', '-q', '-y', '--no-install-recommends', PACKAGES[tool]], { env, stdio: 'ignore' })
  }
}

function pathOf(tool: Tool): string | null {
  for (const folder of [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']) {
    if (folder !== '' && existsSync(`${folder}/${tool}`)) return `${folder}/${tool}`
  }
  return null
}

/** What each says of its version, in one line. */
export function versionsOf(tools: Tools): string[] {
  const asked: Readonly<Record<Tool, string>> = { nginx: '-v', haproxy: '-v', wrk: '-v', taskset: '-V' }
  return [...tools].map(([tool, path]) => {
    const { stdout, stderr } = spawnSync(path, [asked[tool]], { encoding: 'utf8' })
    return `${stdout}${stderr}`.split('\n')[0]?.trim() || tool
  })
}

/** Processor, kernel and Node of this machine, in one line. */
export function machineText(): string {
  const model = /^model name\s*:\s*(.+)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? process.arch
  const kernel = execFileSync('uname', ['-sr'], { encoding: 'utf8' }).trim()
  return `${model}, ${kernel}, Node ${process.version}`
}
