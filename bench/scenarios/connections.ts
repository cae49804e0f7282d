import { join } from 'node:path'
import type { Contestant } from '../contestants/contestant.ts'
import { ask, type Started } from '../lab/bench.ts'
import { table } from '../lab/report.ts'
import { compare, type Entrant } from '../lab/rounds.ts'
import { holdings } from '../lab/usage.ts'
import { authorization, startField, underWrk } from './field.ts'
import { type Lab, seriesTable } from './scenario.ts'

const CLIENT = join(import.meta.dirname, '..', 'load', 'idle-client.ts')
const IDLE = 10_000
const ACTIVE = 1_000

/** 10,000 connections that are idle, 1,000 that ask as fast as they are answered: nothing is dropped; what that costs. */
export async function connections(lab: Lab): Promise<void> {
  const field = await startField(lab, { others: ['haproxy'] })
  const load = { headers: authorization(field.token) }
  const rows: string[][] = []
  for (const contestant of field.all) {
    const before = holdings(contestant.process.pid)
    const few = await compare([active(lab, contestant, { ...load, connections: 50 }, 'alone, 50 active')], lab)
    const idle = await crowd(lab, contestant, field.token)
    const held = holdings(contestant.process.pid)
    const many = await compare([active(lab, contestant, { ...load, connections: ACTIVE }, `${IDLE} idle, ${ACTIVE} active`)], lab)
    const { open, lost } = await ask<{ open: number; lost: number }>(idle, 'how many')
    if (lost > 0) throw new Error(`${contestant.name} dropped ${lost} of ${IDLE} idle connections`)
    const perConnection = (held.resident - before.resident) / IDLE / 1024
    const after = holdings(contestant.process.pid)
    rows.push([
      contestant.name,
      String(open),
      perConnection.toFixed(1),
      mib(before.resident),
      mib(held.resident),
      mib(after.resident),
    ])
    lab.print(`${contestant.name}\n\n${seriesTable([...few, ...many])}`)
    await idle.stop()
  }
  lab.print(table(['contestant', 'still open', 'KiB each', 'MiB before', 'MiB with idle ones', 'MiB at the end'], rows))
  await field.stop()
}

function active(lab: Lab, contestant: Contestant, load: Parameters<typeof underWrk>[3], name: string): Entrant {
  return underWrk(lab, contestant, '/things/1', load, name)
}

function crowd({ bench }: Lab, { url }: Contestant, token: string): Promise<Started> {
  const argv = [process.execPath, CLIENT, new URL(url).port, '/things/1', token, String(IDLE)]
  return bench.start(argv, {
    on: 'other cores',
    ready: { line: /^open$/m },
    under: ['prlimit', '--nofile=20000:20000'],
    messages: true,
  })
}

function mib(bytes: number): string {
  return (bytes / 1024 / 1024).toFixed(0)
}
