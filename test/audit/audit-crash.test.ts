import assert from 'node:assert/strict'
import { type ChildProcessWithoutNullStreams, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, before, describe, it } from 'node:test'
import { readChain, until } from './records.ts'

interface Said {
  readonly recorded?: number
  readonly failed?: string
  readonly restored?: true
  readonly available?: boolean
  readonly dropped?: true
  readonly closed?: true
  readonly appended?: number
}

const SCRIPT = join(import.meta.dirname, 'audit-process.ts')
/** Changes a limit of a running process; part of util-linux. */
const PRLIMIT = 'prlimit'
let root: string
before(() => {
  root = mkdtempSync(join(tmpdir(), 'planegate-audit-crash-'))
})
const children: ChildProcessWithoutNullStreams[] = []
after(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(root, { recursive: true })
})

function start(command: string, args: string[]): { child: ChildProcessWithoutNullStreams; said: Said[] } {
  const child = spawn(command, args)
  children.push(child)
  const said: Said[] = []
  createInterface({ input: child.stdout }).on('line', (line) => said.push(JSON.parse(line)))
  child.stderr.on('data', (text) => said.push({ failed: String(text) }))
  return { child, said }
}

async function stop(child: ChildProcessWithoutNullStreams, said: Said[]): Promise<number> {
  child.stdin.write('stop\n')
  await once(child, 'close')
  const last = said.at(-1)
  assert.equal(last?.closed, true, JSON.stringify(last))
  return last.appended ?? 0
}

describe('audit log of a real process', () => {
  it('holds after SIGKILL in the middle of writing, four times over, and loses nothing that was reported as recorded', async () => {
    const directory = join(root, 'killed')
    let least = 0
    for (let round = 0; round < 4; round++) {
      const { child, said } = start(process.execPath, [SCRIPT, directory, '200'])
      const enough = 3000 * (round + 1)
      await until(`${enough} records in round ${round}`, () => said.some(({ recorded = 0 }) => recorded > enough))
      child.kill('SIGKILL')
      await once(child, 'close')
      least += said.findLast(({ recorded }) => recorded !== undefined)?.recorded ?? 0
    }
    const { child, said } = start(process.execPath, [SCRIPT, directory, '1'])
    await until('a record after the crashes', () => said.some(({ recorded }) => recorded !== undefined))
    least += await stop(child, said)
    const lines = await readChain(directory)
    assert.ok(lines.length >= least, `${lines.length} lines of at least ${least}`)
    assert.equal(readdirSync(directory).filter((name) => name.endsWith('.jsonl')).length, 5)
  })

  it('refuses a second process and names the first', async () => {
    const directory = join(root, 'shared')
    const first = start(process.execPath, [SCRIPT, directory, '1'])
    await until('the first writes', () => first.said.some(({ recorded }) => recorded !== undefined))
    const second = start(process.execPath, [SCRIPT, directory, '1'])
    const [code] = await once(second.child, 'close')
    assert.equal(code, 1)
    assert.match(JSON.stringify(second.said), new RegExp(`in use by process ${first.child.pid}`))
    await stop(first.child, first.said)
  })

  it('on a full disk refuses, and with room again writes the very records that failed', async () => {
    const directory = join(root, 'full')
    // A limit on the size of files (64 blocks of 1024 bytes) fails in the middle of a line, as a full disk does. Records come slowly enough
    // for several batches to be written, and not yet synced, before.
    const limited = `ulimit -S -f 64; exec "$0" "$@"`
    const { child, said } = start('bash', ['-c', limited, process.execPath, SCRIPT, directory, '1'])
    await until('the write fails', () => said.some(({ failed }) => failed !== undefined))
    const batches = said.filter(({ recorded }) => recorded !== undefined).length
    assert.ok(batches > 2, `${batches} batches before the failure`)
    assert.deepEqual(said.find(({ failed }) => failed)?.available, false)
    assert.match(said.find(({ failed }) => failed)?.failed ?? '', /EFBIG/)
    execFileSync(PRLIMIT, ['--pid', String(child.pid), '--fsize=unlimited'])
    await until('it is restored', () => said.some(({ restored }) => restored))
    assert.equal(said.find(({ restored }) => restored)?.available, true)
    const appended = await stop(child, said)
    const lines = await readChain(directory)
    assert.deepEqual(
      lines.map(({ requestId }) => requestId),
      Array.from({ length: appended }, (_, i) => `request-${i + 1}`),
    )
    assert.equal(said.findLast(({ recorded }) => recorded)?.recorded, appended)
    assert.ok(!said.some(({ dropped }) => dropped))
  })
})
