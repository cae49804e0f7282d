// A process of its own that writes audit records until it is told to stop: `node audit-process.ts DIRECTORY RECORDS_PER_TURN`.
// Says one line of JSON for each event. On `stop` from standard input it closes the log.
import { openAuditWriter } from '../../src/audit/writing/open-audit-writer.ts'
import { auditOptions } from './options.ts'
import { decision } from './records.ts'

const [directory = '', perTurn = '1'] = process.argv.slice(2)
const say = (event: object) => process.stdout.write(`${JSON.stringify(event)}\n`)
let appended = 0
let recorded = 0

const writer = await openAuditWriter(
  auditOptions(directory, {
    events: {
      trouble: (error) => say({ failed: error.message }),
      recorded: (count) => {
        recorded += count
        say({ recorded })
      },
      dropped: () => say({ dropped: true }),
      failed: (error) => say({ failed: error.message, available: writer.available() }),
      restored: () => say({ restored: true, available: writer.available() }),
    },
  }),
)
const timer = setInterval(() => {
  for (let i = 0; i < Number(perTurn) && writer.available(); i++) writer.append(decision({ requestId: `request-${++appended}` }))
}, 1)

process.stdin.on('data', async () => {
  clearInterval(timer)
  await writer.close()
  say({ closed: true, appended })
  process.stdin.destroy()
})
