// Runs before `npm start`, `npm test` and `npm run check`, possibly on an older Node: plain JavaScript, no packages.
// Installs from the lockfile when node_modules is missing or older than it, and rebuilds dist/ (what the package
// exports) when a source file is newer than the last build.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'node_modules', '.planegate-lock')
const built = join(root, 'dist', 'main.js')

const lock = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .digest('hex')
const run = (...args) => execFileSync('npm', args, { cwd: root, stdio: ['ignore', process.stderr, process.stderr] })

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
  process.stderr.write('planegate: installing packages from the lockfile (once)\n')
  run('ci', '--no-fund', '--no-audit', '--loglevel=error')
  writeFileSync(stamp, lock)
}

const newestSource = Math.max(
  ...readdirSync(join(root, 'src'), { recursive: true }).map((name) => statSync(join(root, 'src', name)).mtimeMs),
)
if (!existsSync(built) || statSync(built).mtimeMs < newestSource) {
  run('run', '-s', 'build')
}
