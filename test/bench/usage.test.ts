import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { test } from 'node:test'
import { cpuTime, holdings } from '../../bench/lab/usage.ts'

const LINUX = process.platform === 'linux'

test('CPU time counts a process and what it started, and grows with the work that is done', {
  skip: !LINUX && 'reads /proc',
}, async (t) => {
  // The one that works is a child of the one that is asked about.
  const script = 'node -e "for (let end = Date.now() + 60000; Date.now() < end; );" & echo started; wait'
  const shell = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore'], detached: true })
  t.after(() => process.kill(-(shell.pid as number), 'SIGKILL'))
  await once(shell.stdout, 'data')
  const before = cpuTime(shell.pid as number)
  let now = before
  for (const deadline = performance.now() + 20_000; now - before < 50_000_000 && performance.now() < deadline; ) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    now = cpuTime(shell.pid as number)
  }
  assert.ok(now - before >= 50_000_000, `${now - before} ns`)
  assert.ok(now - before < 20_000_000_000)
})

test('a process holds memory and files', { skip: !LINUX && 'reads /proc' }, () => {
  const { resident, files } = holdings(process.pid)
  assert.ok(resident > 10_000_000 && resident < process.memoryUsage().rss * 4)
  assert.ok(files > 2)
})
