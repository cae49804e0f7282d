/**
 * What the audit log costs, per request: `node bench/audit.ts`. Gateways in processes of their own that differ in nothing but their `audit` section, measured in turn, in
 * rounds; then the writer by itself. Prints one table for each. Needs Linux, for the time that a process was on a processor.
 */
import { availableParallelism, cpus } from 'node:os'
import { auditedGateways } from './audit-gateways.ts'
import { type Row, table } from './audit-spread.ts'
import { measuredWriter } from './audit-writer.ts'

const ROUNDS = Number(process.argv[2] ?? 30)
const REQUESTS = Number(process.argv[3] ?? 1000)

const machine = `${availableParallelism()} processors, ${cpus()[0]?.model ?? 'unknown'}, Node ${process.version}`
process.stdout.write(`${machine}\n\n`)

const measured = await auditedGateways(ROUNDS, REQUESTS)
const base = measured.find(({ name }) => name === 'allowed requests not recorded')?.microseconds ?? []
const rows: Row[] = measured.flatMap(({ name, microseconds }) => [
  { name: `${name}: CPU per request`, unit: 'µs', values: microseconds },
  { name: `${name}: ratio`, unit: '', values: microseconds.map((value, round) => value / (base[round] ?? Number.NaN)) },
])
process.stdout.write(`${ROUNDS} rounds of ${REQUESTS} requests each, one warm token\n${table(rows)}\n`)
process.stdout.write(`The writer by itself\n${table(await measuredWriter())}`)
