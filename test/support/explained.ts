import assert from 'node:assert/strict'
import { type Explainer, openExplainer } from '../../src/composition/explainer.ts'
import { loadGateway } from '../../src/config/load.ts'
import type { Explanation } from '../../src/explain/explanation.ts'
import { type RawAnswer, type RunningGateway, sendRaw } from './gateway.ts'

interface Asked {
  readonly sent: string
  readonly answer: RawAnswer
  readonly explanation: Explanation
}

/**
 * Sends to a gateway, asks an explainer of the same configuration about the same bytes, and holds what it says against what the gateway did. What cannot
 * agree does not belong here: a request behind another on one connection, and one that a limit refused, because an explainer counts nothing.
 */
export class Explained {
  readonly #gateway: RunningGateway
  readonly #explainer: Explainer
  readonly #asked: Asked[] = []

  private constructor(gateway: RunningGateway, explainer: Explainer) {
    this.#gateway = gateway
    this.#explainer = explainer
  }

  static async beside(gateway: RunningGateway): Promise<Explained> {
    const loaded = loadGateway(gateway.file)
    assert.ok(loaded.ok)
    return new Explained(gateway, await openExplainer(loaded.gateway))
  }

  async send(bytes: string, options: Parameters<typeof sendRaw>[2] = {}): Promise<RawAnswer> {
    const [answer, explanation] = await Promise.all([
      sendRaw(this.#gateway.port, bytes, options),
      this.#explainer.explain(Buffer.from(bytes, 'latin1'), '127.0.0.1'),
    ])
    this.#asked.push({ sent: bytes.slice(0, 300), answer, explanation })
    return answer
  }

  /** What was explained last. */
  get last(): Explanation {
    const last = this.#asked.at(-1)
    assert.ok(last !== undefined)
    return last.explanation
  }

  /** Every request so far: the same decision, for the same reason, by the same route, with the same challenge. Gives their number. */
  async agree(secrets: readonly string[]): Promise<number> {
    const records = new Map((await this.#gateway.records()).map((record) => [record.requestId, record]))
    for (const { sent, answer, explanation } of this.#asked) {
      const record = records.get(answer.headers['x-request-id'])
      assert.ok(record !== undefined, `no record of ${JSON.stringify(sent)}: ${answer.text}`)
      assertAgrees(explanation, record, sent)
      for (const [name, value] of Object.entries(explanation.headers))
        assert.equal(answer.headers[name], [value].flat().join(', '), `${name} of ${JSON.stringify(sent)}`)
      const text = JSON.stringify(explanation)
      for (const secret of secrets) assert.ok(!text.includes(secret), `a credential in the explanation of ${sent}`)
    }
    return this.#asked.length
  }

  close(): Promise<void> {
    return this.#explainer.close()
  }
}

/** The gateway did for the same reason what the explanation says, by the same route. */
export function assertAgrees(explanation: Explanation, record: Readonly<Record<string, unknown>>, sent: string): void {
  assert.deepEqual(decisionOf(explanation), decisionOf(record), JSON.stringify(sent))
  if (explanation.status !== null) assert.equal(explanation.status, record.status, JSON.stringify(sent))
  else assert.equal(explanation.decision, 'allow', JSON.stringify(sent))
  assert.ok(explanation.steps[0]?.input?.startsWith(`the address ${record.clientIp}`), JSON.stringify(sent))
  assertWhole(explanation)
}

function decisionOf(of: Explanation | Readonly<Record<string, unknown>>): unknown[] {
  const { decision, code, reason, route, plane, actor, method, path } = of
  return [decision, code, reason, route, plane, actor, method, path]
}

/** One way through all steps: passed, then perhaps one refusal, then nothing; and where there is a reason, what it means. */
function assertWhole({ steps, reason, means, remedy, decision }: Explanation): void {
  const verdicts = steps.map(({ verdict }) => verdict)
  assert.match(verdicts.join(' '), decision === 'allow' ? /^(passed ?)+$/ : /^(passed )*refused( not-reached)*$/)
  for (const { verdict, input, says, stage } of steps) {
    if (verdict === 'not-reached') assert.deepEqual([input, says], [null, null])
    else assert.ok(input !== null && input !== '' && says !== null && says !== '', stage)
  }
  if (reason !== null) assert.ok(means !== null && remedy !== null, `nothing is known of ${reason}`)
}
