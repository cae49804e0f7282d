import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, it, type TestContext } from 'node:test'
import { checkpointText, parseCheckpoints } from '../../src/audit/format/checkpoint.ts'
import { noteKey, signNote } from '../../src/audit/format/signed-note.ts'
import { RecordingUpstream } from '../support/gateway.ts'
import { ADMIN_ENV, type AuditGatewayFiles, auditGatewayFiles, copied, sampleHeaders } from './audit-gateway.ts'
import { AuditDirectory } from './audit-log.ts'
import { fileLifetime, type Lifetime, logLines, run, serving } from './program.ts'

/** Somebody was at the log while the gateway did not run: in production it does not start, elsewhere it says so in every way it has. */

const lifetime = fileLifetime()
let upstream: RecordingUpstream
let whole: AuditGatewayFiles
before(async () => {
  upstream = await RecordingUpstream.start()
  // Beside the log, out of reach of who can only reach its directory.
  whole = auditGatewayFiles(lifetime, upstream.origin, 'anchor: { file: ./anchor/checkpoints }')
  mkdirSync(join(whole.folder, 'anchor'))
  await session(lifetime, whole)
  cpSync(join(whole.folder, 'data'), join(whole.folder, 'earlier'), { recursive: true })
  await session(lifetime, whole)
})
after(() => upstream.close())

/** A gateway that starts, serves, and stops as it should. */
async function session(life: Lifetime, { production }: AuditGatewayFiles): Promise<void> {
  const gateway = await serving(life, production, { env: ADMIN_ENV })
  for (const headers of [...sampleHeaders(), ...sampleHeaders(), ...sampleHeaders(), ...sampleHeaders()])
    await (await fetch(`${gateway.url}/things`, { headers })).arrayBuffer()
  gateway.program.kill('SIGTERM')
  const { code, stdout } = await gateway.program.end()
  assert.equal(code, 0, stdout)
}

const auditOf = ({ folder }: AuditGatewayFiles) => join(folder, 'data', 'audit')
const segmentsOf = (files: AuditGatewayFiles) =>
  readdirSync(auditOf(files))
    .filter((name) => name.endsWith('.jsonl'))
    .sort()

function changeFile(file: string, change: (text: string) => string): void {
  const before = readFileSync(file, 'utf8')
  const text = change(before)
  assert.notEqual(text, before)
  writeFileSync(file, text)
}

const changeSegment = (files: AuditGatewayFiles, change: (lines: string[]) => string[]) =>
  changeFile(join(auditOf(files), segmentsOf(files).at(-1) ?? ''), (text) =>
    change(text.split('\n').slice(0, -1)).join('\n').concat('\n'),
  )

const changeNotes = (files: AuditGatewayFiles, change: (notes: string[]) => string[]) =>
  changeFile(join(auditOf(files), 'audit.checkpoints'), (text) => change(text.split(/(?<=\n)\n(?!\u2014)/u)).join('\n'))

/** The same checkpoint, signed by a key of the forger's. */
function resigned(note: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const checkpoint = parseCheckpoints(Buffer.from(note)).checkpoints[0]
  assert.ok(checkpoint)
  return signNote(checkpointText(checkpoint), noteKey(checkpoint.origin, privateKey), privateKey)
}

/** Whoever does this has no key, and cannot reach the anchor. */
interface Tampering {
  readonly name: string
  readonly reason: string
  readonly says: RegExp
  alter(files: AuditGatewayFiles): void
}

const ROWS: readonly Tampering[] = [
  {
    name: 'the last line is gone',
    reason: 'log-shorter',
    says: /The log has \d+ lines, and audit\.checkpoints says that it had \d+\./,
    alter: (files) => changeSegment(files, (lines) => lines.slice(0, -1)),
  },
  {
    name: 'the last ten lines are gone',
    reason: 'log-shorter',
    says: /The log has \d+ lines, and audit\.checkpoints says that it had \d+\./,
    alter: (files) => changeSegment(files, (lines) => lines.slice(0, -10)),
  },
  {
    name: 'a line was changed',
    reason: 'line-altered',
    says: /audit-\d{12}\.jsonl:\d+ does not follow the line before it/,
    alter: (files) =>
      changeSegment(files, (lines) => {
        // Which line that is depends on when the first checkpoint was written.
        const place = lines.findIndex((line) => line.includes('"decision":"'))
        return lines.with(place, (lines[place] ?? '').replace('"decision":"', '"decision":"x'))
      }),
  },
  {
    name: 'a byte of the very last line was changed',
    reason: 'log-other',
    says: /The first \d+ lines of the log are not those that audit\.checkpoints speaks of/,
    alter: (files) => changeSegment(files, (lines) => lines.with(-1, (lines.at(-1) ?? '').replace('"time":"2', '"time":"3'))),
  },
  {
    name: 'the last segment is gone',
    reason: 'log-shorter',
    says: /The log has \d+ lines, and audit\.checkpoints says that it had \d+\./,
    alter: (files) => rmSync(join(auditOf(files), segmentsOf(files).at(-1) ?? '')),
  },
  {
    name: 'the checkpoints are gone',
    reason: 'checkpoint-missing',
    says: /The newest checkpoint that the log names is not in audit\.checkpoints/,
    alter: (files) => rmSync(join(auditOf(files), 'audit.checkpoints')),
  },
  {
    name: 'the last checkpoint is gone, and the anchor knows it',
    reason: 'checkpoint-missing',
    says: /The checkpoint over \d+ lines that the anchor keeps is not in audit\.checkpoints/,
    alter: (files) => changeNotes(files, (notes) => notes.slice(0, -1)),
  },
  {
    name: 'the last checkpoint is by another key',
    reason: 'checkpoint-unsigned',
    says: /The newest checkpoint in audit\.checkpoints is not signed by audit\.key nor by one of audit\.previousKeys/,
    alter: (files) => changeNotes(files, (notes) => notes.with(-1, resigned(notes.at(-1) ?? ''))),
  },
  {
    name: 'a whole earlier state was put back, and the anchor knows better',
    reason: 'log-shorter',
    says: /The log has \d+ lines, and the anchor says that it had \d+\./,
    alter(files) {
      rmSync(auditOf(files), { recursive: true })
      cpSync(join(files.folder, 'earlier', 'audit'), auditOf(files), { recursive: true })
    },
  },
]

function tampered(test: TestContext, { alter }: Pick<Tampering, 'alter'>): AuditGatewayFiles {
  const files = copied(whole)
  test.after(() => rmSync(files.folder, { recursive: true, force: true }))
  alter(files)
  return files
}

const verify = (test: TestContext, files: AuditGatewayFiles, ...more: string[]) =>
  run(test, ['audit', 'verify', auditOf(files), '--key', join(files.folder, 'keys', 'audit.pem'), ...more])

describe('a start with a log that somebody was at', { concurrency: 2 }, () => {
  it('goes on with one that nobody was at', async (test) => {
    const files = tampered(test, { alter() {} })
    assert.equal((await verify(test, files)).code, 0)
    await session(test, files)
    const { code, stdout } = await verify(test, files, '--anchor', join(files.folder, 'anchor', 'checkpoints'))
    assert.equal(code, 0, stdout)
  })

  for (const row of ROWS) {
    it(`${row.name}: fails in production, and is told elsewhere`, async (test) => {
      const files = tampered(test, row)
      const before = await new AuditDirectory(auditOf(files)).lines().catch(() => null)
      const { code, stdout, stderr } = await run(test, ['serve', '--config', files.production], { env: ADMIN_ENV })
      assert.deepEqual([code, stderr], [1, ''], stdout)
      const [fatal, ...more] = logLines(stdout).filter(({ level }) => level === 'fatal')
      assert.equal(more.length, 0)
      assert.match(fatal?.msg ?? '', row.says)
      assert.ok(fatal?.msg.includes(auditOf(files)), 'it does not say where')
      assert.match(fatal?.msg ?? '', /planegate audit verify.*put back.*or move the directory away/)
      assert.deepEqual(await new AuditDirectory(auditOf(files)).lines().catch(() => null), before, 'it wrote to the evidence')

      const gateway = await serving(test, files.development, { env: ADMIN_ENV })
      const ready = await fetch(`${gateway.admin}/readyz`)
      const { failing } = (await ready.json()) as { failing: { name: string; detail: string }[] }
      assert.deepEqual([ready.status, failing.map(({ name }) => name)], [503, ['audit_log']])
      assert.match(failing[0]?.detail ?? '', row.says)
      const [headers = {}] = sampleHeaders()
      assert.equal((await fetch(`${gateway.url}/things`, { headers })).status, 200)
      gateway.program.kill('SIGTERM')
      assert.equal((await gateway.program.end()).code, 0)
      const diverged = (await new AuditDirectory(auditOf(files)).lines()).filter(({ event }) => event === 'diverged')
      assert.deepEqual(
        diverged.map(({ reason }) => reason),
        [row.reason],
      )
      const verified = await verify(test, files, '--json')
      assert.equal(verified.code, 1)
      assert.match(verified.stdout, /"code":"log-diverged"/)
    })
  }

  it('the last checkpoint is gone, and nothing kept it elsewhere: no different from a kill before it was written, and nothing is lost', async (test) => {
    const files = tampered(test, {
      alter(copy) {
        changeNotes(copy, (notes) => notes.slice(0, -1))
        for (const file of [copy.development, copy.production])
          changeFile(file, (text) => text.replace(', anchor: { file: ./anchor/checkpoints }', ''))
      },
    })
    const found = await verify(test, files, '--json')
    assert.equal(found.code, 1)
    assert.match(found.stdout, /"code":"log-uncovered"/)
    await session(test, files)
    assert.equal((await verify(test, files)).code, 0)
  })

  it('a new key with the old one among previousKeys is no tampering; without it, it is', async (test) => {
    const files = tampered(test, { alter() {} })
    const keys = join(files.folder, 'keys')
    cpSync(join(keys, 'audit.pem'), join(keys, 'audit-before.pem'))
    const { privateKey } = generateKeyPairSync('ed25519')
    writeFileSync(join(keys, 'audit.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }))
    const refused = await run(test, ['serve', '--config', files.production], { env: ADMIN_ENV })
    assert.equal(refused.code, 1)
    assert.match(refused.stdout, /is not signed by audit\.key nor by one of audit\.previousKeys/)
    changeFile(files.production, (text) =>
      text.replace('audit.pem }', 'audit.pem }, previousKeys: [{ file: ./keys/audit-before.pem }]'),
    )
    await session(test, files)
    assert.equal((await verify(test, files)).code, 1, 'one of the two keys is not enough')
    const { code, stdout } = await verify(test, files, '--key', join(keys, 'audit-before.pem'))
    assert.equal(code, 0, stdout)
  })
})
