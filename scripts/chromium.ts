import { execFile } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'

/** Names under which a Chromium that can run headless is found on the path. */
const NAMES = ['chromium', 'chromium-browser', 'google-chrome-stable', 'google-chrome']
/** Minutes are plenty; another package may be in the middle of its installation. */
const APT_OPTIONS = ['-qq', '-o', 'DPkg::Lock::Timeout=300']

/** Where the browser of the tests is, or the sentence that says what to install. */
export type Browser = { readonly path: string } | { readonly missing: string }

/** Finds a Chromium. As root on Debian, where there is none, it installs the distribution's own package first (about a minute). */
export async function findOrInstallChromium(): Promise<Browser> {
  const found = onPath()
  if (found !== null) return { path: found }
  if (process.getuid?.() !== 0 || !isDebian()) return { missing: 'there is no chromium on the path: install it to run this test' }
  try {
    await install()
  } catch (error) {
    return { missing: `chromium could not be installed: ${error instanceof Error ? error.message : String(error)}` }
  }
  const installed = onPath()
  return installed === null ? { missing: 'the package chromium brought no program of that name' } : { path: installed }
}

async function install(): Promise<void> {
  const run = promisify(execFile)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  // Lists that are there already may do, and another process may be fetching them at this moment: only the installation has to succeed.
  await run('apt-get', ['update', ...APT_OPTIONS], { env }).catch(() => undefined)
  await run('apt-get', ['install', '-y', '--no-install-recommends', ...APT_OPTIONS, 'chromium'], {
    env,
    maxBuffer: 64 * 1024 * 1024,
  })
}

function onPath(): string | null {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const candidates = NAMES.flatMap((name) => folders.map((folder) => join(folder, name)))
  return candidates.find(isExecutable) ?? null
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Debian itself: elsewhere the package of that name may be a mere pointer to another way of installing. */
function isDebian(): boolean {
  try {
    return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}
