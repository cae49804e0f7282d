import { openExplainer } from '../composition/explainer.ts'
import type { Gateway } from '../config/gateway.ts'
import { loadGateway } from '../config/load.ts'
import type { Explanation } from '../explain/explanation.ts'
import { UsageError, type VerbIo } from './arguments.ts'
import { mistakesText } from './check.ts'
import { failureText } from './command-failure.ts'
import { explanationText } from './explain-report.ts'
import { type ExplainRequest, parseExplainRequest } from './explain-request.ts'
import { plainText } from './plain-text.ts'

/**
 * `planegate explain`: how one request would be decided by a gateway of this configuration, step by step. Takes no allowance, writes no record and changes
 * nothing. Gives the exit code: 0 allowed, 1 refused or not to be told, 2 wrong usage. `readInput`: all of standard input.
 */
export async function explainRequest(argv: readonly string[], io: VerbIo, readInput?: () => string): Promise<number> {
  try {
    const request = parseExplainRequest(argv, readInput)
    // A rule that has expired is no mistake here: that it has is what there may be to explain.
    const loaded = loadGateway(request.config, { now: 0 })
    if (!loaded.ok) {
      io.out(
        request.json
          ? `${JSON.stringify({ ok: false, mistakes: loaded.mistakes })}\n`
          : plainLines(mistakesText(loaded.mistakes)),
      )
      return 1
    }
    const explanation = await explained(request, loaded.gateway)
    io.out(request.json ? `${JSON.stringify(explanation)}\n` : plainLines(explanationText(explanation)))
    return explanation.decision === 'allow' ? 0 : 1
  } catch (error) {
    io.err(`${plainLines(`planegate explain: ${error instanceof UsageError ? error.message : failureText(error)}`)}\n`)
    return error instanceof UsageError ? 2 : 1
  }
}

async function explained(request: ExplainRequest, gateway: Gateway): Promise<Explanation> {
  const explainer = await openExplainer(gateway)
  try {
    return await explainer.explain(request.bytes(gateway), request.address)
  } finally {
    await explainer.close()
  }
}

function plainLines(text: string): string {
  return text.split('\n').map(plainText).join('\n')
}
