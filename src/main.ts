#!/usr/bin/env node
import { UsageError, type VerbIo } from './cli/arguments.ts'
import { VERSION } from './version.ts'

type Verb = (argv: readonly string[], io: VerbIo) => Promise<number>

/** One verb, one file under cli/, loaded when it is asked for. */
const VERBS: Readonly<Record<string, { readonly does: string; readonly load: () => Promise<Verb> }>> = {
  serve: { does: 'run the gateway', load: async () => (await import('./cli/serve.ts')).serve },
  check: {
    does: 'validate the configuration and show who gets in where',
    load: async () => (await import('./cli/check.ts')).check,
  },
  explain: {
    does: 'say how one request would be decided, and why',
    load: async () => (await import('./cli/explain.ts')).explainRequest,
  },
  test: {
    does: 'compare decisions with a table of expected ones',
    load: async () => (await import('./cli/test-cases.ts')).testCases,
  },
  replay: {
    does: 'decide recorded requests again by another configuration',
    load: async () => (await import('./cli/replay.ts')).replay,
  },
  init: { does: 'write a small working configuration', load: async () => (await import('./cli/init.ts')).init },
  keys: { does: 'create, list, rotate and revoke API keys', load: async () => (await import('./cli/keys.ts')).keys },
  sessions: { does: 'revoke sessions, tokens and subjects', load: async () => (await import('./cli/sessions.ts')).sessions },
  audit: {
    does: 'verify the audit log, prove a line of it, show and follow its records',
    load: async () => (await import('./cli/audit.ts')).audit,
  },
  migrate: { does: 'change the database schema', load: async () => (await import('./cli/migrate.ts')).migrate },
  'dev-token': {
    does: 'print a token of the development issuer',
    load: async () => (await import('./cli/dev-token.ts')).devToken,
  },
}

const io: VerbIo = { out: (text) => process.stdout.write(text), err: (text) => process.stderr.write(text) }

process.exitCode = await run(process.argv.slice(2))

/** 0 fine, 1 findings or refusal, 2 wrong usage. */
async function run([name, ...argv]: readonly string[]): Promise<number> {
  if (name === '--version') {
    io.out(`planegate ${VERSION}\n`)
    return 0
  }
  if (name === undefined || name === '--help' || name === 'help') {
    ;(name === undefined ? io.err : io.out)(usage())
    return name === undefined ? 2 : 0
  }
  const verb = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined
  if (verb === undefined) {
    // What looks like no verb may be a secret in the wrong place.
    io.err(`planegate: there is no ${/^[a-z-]{1,20}$/.test(name) ? `verb "${name}"` : 'such verb'}\n${usage()}`)
    return 2
  }
  try {
    return await (await verb.load())(argv, io)
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`planegate ${name}: ${error.message}\n`)
      return 2
    }
    io.err(`planegate ${name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
    return 1
  }
}

function usage(): string {
  const width = Math.max(...Object.keys(VERBS).map((verb) => verb.length))
  const rows = Object.entries(VERBS).map(([verb, { does }]) => `  ${verb.padEnd(width)}  ${does}`)
  return `usage: planegate <verb> [options]\n\n${rows.join('\n')}\n\nEvery verb that reads configuration takes --config F (default ./config/gateway.yaml).\n`
}
