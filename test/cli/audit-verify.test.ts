import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { ORIGIN, OTHER_PUBLIC, PRIVATE } from '../audit/reading/sample-log.ts'
import { namedPipe } from '../support/named-pipe.ts'
import { COMMANDS, commandLine, EVIL, fill } from './audit-command-line.ts'

describe('planegate audit verify', () => {
  it('says what holds, and takes a private key as well', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    const { code, out } = await run('verify', directory, '--key', keyFile)
    assert.equal(code, 0)
    assert.match(out, /^The log holds: 8 lines in 1 segments; 2 checkpoints cover 8 lines\.\n {2}log {8}api\.example\.com/)
    writeFileSync(keyFile, PRIVATE.export({ type: 'pkcs8', format: 'pem' }))
    assert.deepEqual(await run('verify', directory, '--key', keyFile), { code: 0, out, err: '' })
  })

  it('names the first line that does not hold', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    const file = join(directory, log.names[0] ?? '')
    writeFileSync(file, readFileSync(file, 'utf8').replace('"bob"', '"eve"'))
    const { code, out } = await run('verify', directory, '--key', keyFile)
    assert.equal(code, 1)
    assert.match(
      out,
      /^audit-000000000001\.jsonl:4: line-altered: line 4 was altered: .* \(line 4 of the log, byte \d+ of the file\)\nThe log does not hold: 1 findings/,
    )
    const json = await run('verify', directory, '--key', keyFile, '--json')
    const { ok, lines, findings } = JSON.parse(json.out)
    assert.deepEqual(
      [json.code, ok, lines, findings[0].code, findings[0].line, findings[0].seq],
      [1, false, 8, 'line-altered', 4, 4],
    )
  })

  it('is a verb of the command line', (test) => {
    const { log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    const main = join(import.meta.dirname, '../../src/main.ts')
    const run = () =>
      spawnSync(process.execPath, [main, 'audit', 'verify', directory, '--key', keyFile, '--json'], { encoding: 'utf8' })
    assert.deepEqual([run().status, JSON.parse(run().stdout).ok], [0, true])
    rmSync(join(directory, 'audit.checkpoints'))
    assert.equal(run().status, 1)
  })

  it('--json has no character that commands a terminal', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    writeFileSync(join(directory, `audit-${EVIL}.jsonl`), '')
    const { out } = await run('verify', directory, '--key', keyFile, '--json')
    assert.doesNotMatch(out, COMMANDS)
    assert.equal(JSON.parse(out).findings[0].file, `audit-${EVIL}.jsonl`)
  })
})

describe('planegate audit, where a pipe is in the place of a file, waits for nobody', () => {
  const verbs: readonly (readonly [string, string, readonly string[], number, RegExp])[] = [
    ['verify', 'audit-000000000009.jsonl', ['verify', 'DIR', '--key', 'KEY'], 1, /file-unreadable: .* \(it is no regular file\)/],
    ['verify', 'audit.lock-journal', ['verify', 'DIR', '--key', 'KEY'], 1, /^log-open: the log ends with line 7/],
    ['prove', 'audit-000000000009.jsonl', ['prove', '1', 'DIR', '--key', 'KEY'], 0, /^c2sp/],
    [
      'prove',
      'audit-000000000001_0.jsonl',
      ['prove', '1', 'DIR', '--key', 'KEY'],
      1,
      /cannot be read to its end \(it is no regular/,
    ],
    [
      'show',
      'audit-000000000009.jsonl',
      ['show', '--since', '2026-01-02T00:00:00Z', '--dir', 'DIR'],
      0,
      /audit-000000000009\.jsonl cannot be read/,
    ],
  ]
  for (const [verb, file, argv, status, says] of verbs) {
    it(`${verb}, ${file}`, (test) => {
      const { log, directory, keyFile } = commandLine(test)
      fill(log)
      writeFileSync(join(directory, 'audit.lock'), '')
      namedPipe(join(directory, file))
      const words = argv.map((word) => ({ DIR: directory, KEY: keyFile })[word] ?? word)
      const main = join(import.meta.dirname, '../../src/main.ts')
      const ended = spawnSync(process.execPath, [main, 'audit', ...words], {
        encoding: 'utf8',
        timeout: 20_000,
        killSignal: 'SIGKILL',
      })
      assert.equal(ended.status, status, `${ended.stdout}${ended.stderr}`)
      assert.match(`${ended.stdout}${ended.stderr}`, says)
    })
  }
})

describe('planegate audit prove', () => {
  it('writes a proof that --check accepts with nothing but the key', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    const made = await run('prove', '4', directory, '--key', keyFile)
    assert.deepEqual([made.code, made.err], [0, ''])
    const file = join(directory, '..', 'line.tlog-proof')
    writeFileSync(file, made.out)
    rmSync(directory, { recursive: true })
    const checked = await run('prove', '--check', file, '--key', keyFile, '--origin', ORIGIN)
    assert.match(checked.out, /^The proof holds: line 4 of "api\.example\.com[^\n]*\n\{"seq":4,.*"requestId":"second"/)
    const json = JSON.parse((await run('prove', '--check', file, '--key', keyFile, '--json')).out)
    assert.deepEqual([json.ok, json.index, json.record.requestId], [true, 3, 'second'])
  })

  const refusals: readonly (readonly [string, (proof: string) => string, RegExp])[] = [
    [
      'another line',
      (proof) => proof.replace(/extra .*/, `extra ${Buffer.from('{}').toString('base64')}`),
      /do not lead to the root/,
    ],
    ['another place', (proof) => proof.replace('index 3', 'index 2'), /do not lead to the root/],
    ['a place outside', (proof) => proof.replace('index 3', 'index 99'), /no such path/],
    ['a hash less', (proof) => proof.replace(/(index 3\n).*\n/, '$1'), /no such path/],
    ['another size', (proof) => proof.replace('\n8\n', '\n9\n'), /not signed/],
    ['another spelling', (proof) => proof.replace('index 3', 'index 03'), /no proof in the form/],
    ['no checkpoint', (proof) => proof.replace('\u2014', '-'), /no checkpoint/],
    ['nothing', () => '', /no proof in the form/],
  ]
  for (const [name, alter, says] of refusals) {
    it(`--check refuses ${name}`, async (test) => {
      const { run, log, directory, keyFile } = commandLine(test)
      fill(log)
      log.close()
      const { out } = await run('prove', '4', directory, '--key', keyFile)
      const again = commandLine(test, alter(out))
      const { code, err } = await again.run('prove', '--check', '-', '--key', keyFile)
      assert.equal(code, 1)
      assert.match(err, says)
    })
  }

  it('refuses a line that no checkpoint covers, an altered log, another key and another log', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    assert.match((await run('prove', '5', '--key', keyFile)).err, /no checkpoint covers line 5 yet; the newest covers 2 lines/)
    const other = join(directory, '..', 'other.pub')
    writeFileSync(other, OTHER_PUBLIC.export({ type: 'spki', format: 'pem' }))
    assert.match((await run('prove', '1', '--key', other)).err, /no checkpoint that one of the given keys signed/)
    const proof = join(directory, '..', 'proof')
    writeFileSync(proof, (await run('prove', '1', '--key', keyFile)).out)
    assert.match((await run('prove', '--check', proof, '--key', keyFile, '--origin', 'x')).err, /about another log/)
    const file = join(directory, log.names[0] ?? '')
    const written = readFileSync(file, 'utf8')
    writeFileSync(file, written.slice(0, written.indexOf('\n') + 1))
    assert.match((await run('prove', '1', '--key', keyFile)).err, /the log ends before line 2/)
    writeFileSync(file, written.replace('alice', 'alicf'))
    const altered = await run('prove', '1', '--key', keyFile, '--json')
    assert.deepEqual([altered.code, JSON.parse(altered.out).ok], [1, false])
    assert.match(altered.err, /not those that the checkpoint was signed over/)
  })

  it('names the file that cannot be read, and says so in JSON too', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    fill(log)
    log.close()
    writeFileSync(join(directory, 'audit-000000000001_0.jsonl.gz'), 'x')
    const { code, out, err } = await run('prove', '1', directory, '--key', keyFile, '--json')
    assert.equal(code, 1)
    assert.match(err, /audit-000000000001_0\.jsonl\.gz cannot be read to its end \(Z_\w+\)/)
    assert.deepEqual(JSON.parse(out), { ok: false, message: err.slice('planegate audit: '.length, -1) })
    const gone = await run('prove', '1', join(directory, 'gone'), '--key', keyFile, '--json')
    assert.deepEqual([gone.code, JSON.parse(gone.out).ok], [1, false])
  })

  it('--json has no character that commands a terminal, nor what --check says', async (test) => {
    const { run, log, directory, keyFile } = commandLine(test)
    log.segment()
    log.decisions(1, { userAgent: EVIL })
    log.close()
    const proof = join(directory, '..', 'proof')
    writeFileSync(proof, (await run('prove', '2', '--key', keyFile)).out)
    for (const argv of [['2'], ['--check', proof]]) {
      const { code, out } = await run('prove', ...argv, '--key', keyFile, '--json')
      assert.equal(code, 0)
      assert.doesNotMatch(out, COMMANDS)
      assert.equal(JSON.parse(out).record.userAgent, EVIL)
    }
  })
})
