import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, it, type TestContext } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { listSegments } from '../../src/audit/format/segments.ts'
import { RecordingUpstream } from '../support/gateway.ts'
import { ADMIN_ENV, ADMIN_TOKEN, type AuditGatewayFiles, auditGatewayFiles, sampleHeaders } from './audit-gateway.ts'
import { AuditLoad, type MadeChange } from './audit-load.ts'
import { AuditDirectory, namedTorn, publicKeyOf, type Torn } from './audit-log.ts'
import { assertNamed, assertRecorded, missingOf } from './audit-owed.ts'
import { type Program, planegate, run, type Serving, servingAt, until } from './program.ts'

/**
 * One log, fifty times `kill -9`: while it starts, under load, while it stops, and when its disk is full. Nothing that was answered is missing, and every
 * next start names the cut.
 */

const KILLS = 50
/** Changes a limit of a running process; part of util-linux. */
const PRLIMIT = 'prlimit'
/** After so many kills there is an orderly stop, and the whole log must verify. */
const STOPS = new Set([12, 25, 37, KILLS])
/** Milliseconds that a decision may take to get from its answer to the file, on a machine that is busy. The writer gathers for 5. */
const ON_ITS_WAY = 300
/** Small segments that are soon compressed, and many checkpoints: so that a kill meets all of it. */
const SMALL = 'segment: { size: 128KiB, compressAfter: 1s }, checkpoint: { every: 100, interval: 1s }'

let upstream: RecordingUpstream
before(async () => {
  upstream = await RecordingUpstream.start()
})
after(() => upstream.close())

/** Numbers from 0 to 1 that a seed decides (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

type Moment = 'starting' | 'serving' | 'stopping' | 'full'

/** What must be in the log. */
interface Owed {
  readonly requestIds: Set<string>
  readonly changes: MadeChange[]
}

class Rounds {
  readonly log: AuditDirectory
  readonly owed: Owed = { requestIds: new Set(), changes: [] }
  readonly torn = new Map<string, Torn>()
  kills = 0
  readonly #test: TestContext
  readonly #files: AuditGatewayFiles
  readonly #random: () => number
  readonly #requests = sampleHeaders()
  /** Changes from the command line, which runs on beside whatever happens to the gateway. */
  #commands: Promise<MadeChange[]>[] = []

  constructor(test: TestContext, random: () => number) {
    this.#test = test
    this.#random = random
    this.#files = auditGatewayFiles(test, upstream.origin, SMALL)
    this.log = new AuditDirectory(join(this.#files.folder, 'data', 'audit'))
  }

  get keyFile(): string {
    return join(this.#files.folder, 'keys', 'audit.pem')
  }

  get publicKey() {
    return publicKeyOf(this.keyFile)
  }

  start(production: boolean): Program {
    const argv = ['serve', '--config', production ? this.#files.production : this.#files.development]
    return planegate(this.#test, argv, { env: ADMIN_ENV })
  }

  command(): void {
    const number = this.#commands.length
    const [argv, action] =
      this.#random() < 0.5
        ? [['keys', 'create', '--owner', `command-${number}`], 'key-created']
        : [['sessions', 'revoke', '--sid', `command-${number}`], 'revocation-added']
    const made = run(this.#test, [...argv, '--config', this.#files.development, '--json'], { env: ADMIN_ENV })
    this.#commands.push(made.then(({ code, stdout }) => (code === 0 ? [{ action, what: JSON.parse(stdout).id }] : [])))
  }

  async round(moment: Moment, production: boolean): Promise<void> {
    const program = this.start(production)
    if (moment === 'starting') {
      await delay(this.#random() * 600)
      await this.#kill(program)
      return
    }
    const gateway = await servingAt(program)
    const load = new AuditLoad(this.#test, gateway, { requests: this.#requests, adminToken: ADMIN_TOKEN, random: this.#random })
    if (this.#random() < 0.25) this.command()
    await delay(this.#random() < 0.6 ? this.#random() * 200 : 350 + this.#random() * 300)
    const before = performance.now()
    if (moment === 'full') await this.#fill(gateway)
    if (moment === 'stopping') {
      program.kill('SIGTERM')
      await delay(this.#random() * 100)
    }
    const killedAt = moment === 'full' ? before : performance.now()
    await this.#kill(program)
    await load.stop()
    for (const { requestId, at } of load.answered) if (at < killedAt - ON_ITS_WAY) this.owed.requestIds.add(requestId)
    // What the admin API answered is on disk by then; nobody waits for another start.
    assertRecorded(await this.log.lines(), load.changes)
    this.owed.changes.push(...load.changes)
  }

  /** No file may grow beyond where the log is about to be: what comes next is cut in the middle of a line. */
  async #fill({ program }: Serving): Promise<void> {
    const { segments } = await listSegments(this.log.directory)
    const newest = join(this.log.directory, segments.at(-1)?.file ?? '')
    const limit = statSync(newest).size + 4000 + Math.floor(this.#random() * 2000)
    execFileSync(PRLIMIT, ['--pid', String(program.child.pid), `--fsize=${limit}:`])
    await program.says(/The audit log cannot be written/)
  }

  async #kill(program: Program): Promise<void> {
    program.child.kill('SIGKILL')
    const { code, signal, stdout } = await program.end()
    if (signal === 'SIGKILL') this.kills += 1
    else assert.equal(code, 0, stdout)
    for (const torn of await this.log.tornEnds()) {
      assert.deepEqual(this.torn.get(torn.file) ?? torn, torn, 'what was torn stays as it was')
      this.torn.set(torn.file, torn)
    }
    if ((await this.log.lines()).length > 0) await this.log.holds([this.publicKey], true)
  }

  async orderlyStop(): Promise<void> {
    const gateway = await servingAt(this.start(false))
    this.owed.changes.push(...(await Promise.all(this.#commands.splice(0))).flat())
    await until(
      'changes from the command line are recorded',
      async () => missingOf(await this.log.lines(), this.owed.changes).length === 0,
    )
    gateway.program.kill('SIGTERM')
    const { code, stdout } = await gateway.program.end()
    assert.equal(code, 0, stdout)
    const lines = await this.log.lines()
    const { covered } = await this.log.holds([this.publicKey])
    assert.deepEqual([lines.at(-1)?.event, lines.at(-1)?.seq], ['closed', covered])
    assertRecorded(lines, this.owed.changes)
    const recorded = lines.flatMap(({ requestId }) => requestId ?? [])
    assert.equal(new Set(recorded).size, recorded.length, 'a request was recorded twice')
    assert.deepEqual(
      [...this.owed.requestIds].filter((id) => !new Set(recorded).has(id)),
      [],
    )
    assertNamed(lines, [...this.torn.values()])
  }
}

function momentOf(kills: number, random: () => number): Moment {
  if (kills % 5 === 4) return 'full'
  const drawn = random()
  if (drawn < 0.2) return 'starting'
  return drawn < 0.35 ? 'stopping' : 'serving'
}

it(`an audit log holds through ${KILLS} times kill -9, and loses nothing that was answered`, async (test) => {
  const seed = Number(process.env.AUDIT_KILL_SEED ?? Math.floor(Math.random() * 2 ** 31))
  test.diagnostic(`AUDIT_KILL_SEED=${seed}`)
  const random = seeded(seed)
  const rounds = new Rounds(test, random)
  const stopped = new Set<number>()
  while (rounds.kills < KILLS) {
    await rounds.round(momentOf(rounds.kills, random), rounds.kills % 10 === 6)
    if (!STOPS.has(rounds.kills) || stopped.has(rounds.kills)) continue
    await rounds.orderlyStop()
    stopped.add(rounds.kills)
  }
  const lines = await rounds.log.lines()
  const torn = namedTorn(lines).filter(({ bytes }) => bytes > 0)
  test.diagnostic(
    `${lines.length} lines, ${rounds.owed.requestIds.size} requests and ${rounds.owed.changes.length} changes owed, ${torn.length} torn ends named`,
  )
  const argv = ['audit', 'verify', rounds.log.directory, '--key', rounds.keyFile]
  assert.equal((await run(test, argv)).code, 0)
  assert.deepEqual(stopped, STOPS)
  assert.ok(torn.length >= 3 && rounds.owed.changes.length > 50 && rounds.owed.requestIds.size > 50)
  assert.ok((await rounds.log.events('compressed')).length > 0, 'nothing was compressed')
})
