/** Keeps the claims of the tokens that it is sent, parsed and nothing more, and tells how much heap it uses. */
import { tellHeap } from './heap-in-use.ts'

const kept: unknown[] = []

tellHeap()
// Nothing else keeps this program from ending.
process.channel?.ref()
process.on('message', (message) => {
  const { tokens } = message as { tokens?: readonly string[] }
  if (tokens === undefined) return
  for (const token of tokens) kept.push(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()))
  process.send?.(kept.length)
})
process.once('SIGTERM', () => process.exit(0))
process.stdout.write('ready\n')
