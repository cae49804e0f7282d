import { Agent, request } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { Lifetime, Serving } from './program.ts'

/** A change that was answered: what the audit log must say of it. `what` is the id of the key, or of the revocation. */
export interface MadeChange {
  readonly action: string
  readonly what: string
}

export interface LoadOptions {
  /** Must have the same length in every run of a seed: what is sent, as headers. */
  readonly requests: readonly Readonly<Record<string, string>>[]
  readonly adminToken: string
  /** From 0 to 1. */
  readonly random: () => number
}

const CLIENTS = 6
/** Milliseconds that a client waits between two requests, at most. */
const LONGEST_PAUSE = 8

/** Clients and an administrator of one gateway, until it is gone. Keeps what they were answered, and when. */
export class AuditLoad {
  readonly answered: { readonly requestId: string; readonly at: number }[] = []
  readonly changes: MadeChange[] = []
  readonly #options: LoadOptions
  readonly #serving: Serving
  readonly #agent = new Agent({ keepAlive: true })
  readonly #working: Promise<void>
  #stopped = false

  constructor(lifetime: Lifetime, serving: Serving, options: LoadOptions) {
    this.#options = options
    this.#serving = serving
    lifetime.after(() => this.stop())
    this.#working = Promise.all([...Array.from({ length: CLIENTS }, () => this.#client()), this.#administrator()]).then(() => {})
  }

  async stop(): Promise<void> {
    this.#stopped = true
    this.#agent.destroy()
    await this.#working
  }

  async #client(): Promise<void> {
    const { requests, random } = this.#options
    while (!this.#stopped) {
      const requestId = await this.#ask(requests[Math.floor(random() * requests.length)] ?? {})
      if (requestId === null) return
      this.answered.push({ requestId, at: performance.now() })
      await delay(random() * LONGEST_PAUSE)
    }
  }

  /** null: there was no answer. */
  #ask(headers: Readonly<Record<string, string>>): Promise<string | null> {
    return new Promise((resolve) => {
      const outgoing = request(`${this.#serving.url}/things`, { agent: this.#agent, headers }, (response) => {
        response.resume()
        resolve(String(response.headers['x-request-id']))
      })
      outgoing.on('error', () => resolve(null))
      outgoing.end()
    })
  }

  async #administrator(): Promise<void> {
    for (let number = 0; !this.#stopped; number++) {
      const key = await this.#change('/keys', { owner: `owner-${number}` }, 'key-created')
      const revoked = key === null ? null : await this.#change(`/keys/${key}/revoke`, null, 'key-revoked')
      const other = await this.#change('/revocations', { session: `session-${number}` }, 'revocation-added')
      // While the log cannot be written nothing is answered as done; when the gateway is gone nothing is answered.
      if (revoked === null || other === null) await delay(20)
    }
  }

  async #change(path: string, body: object | null, action: string): Promise<string | null> {
    const headers = { authorization: `Bearer ${this.#options.adminToken}`, 'content-type': 'application/json' }
    const sent = { method: 'POST', headers, body: body === null ? null : JSON.stringify(body) }
    try {
      const answer = await fetch(`${this.#serving.admin}/admin/v1${path}`, sent)
      const { id } = (await answer.json()) as { id?: string }
      if (!answer.ok || id === undefined) return null
      this.changes.push({ action, what: id })
      return id
    } catch {
      return null
    }
  }
}
