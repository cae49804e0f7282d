import type { Source } from './source.ts'

export type DatabaseUrl = { readonly url: string } | { readonly problem: string }

/**
 * The address of the database with its path made absolute. A referenced address may hold a password: messages name the variable only.
 */
export function databaseUrl(written: string | { readonly env: string }, source: Source, env: NodeJS.ProcessEnv): DatabaseUrl {
  const subject = typeof written === 'string' ? '' : `environment variable ${written.env} `
  const url = typeof written === 'string' ? written : env[written.env]
  if (url === undefined || url === '') return { problem: `${subject}is not set` }
  if (/^postgres(ql)?:/.test(url))
    return { problem: `${subject}names PostgreSQL, which this version cannot serve; use sqlite:./data/planegate.db` }
  const path = /^sqlite:(.*)$/.exec(url)?.[1]
  if (path === undefined) return { problem: `${subject}must be sqlite: and a path, such as sqlite:./data/planegate.db` }
  if (path.startsWith('//'))
    return { problem: `${subject}must be written without //: sqlite:./data/planegate.db or sqlite:/var/lib/planegate.db` }
  if (path === '' || path.startsWith(':'))
    return { problem: `${subject}must name a file: a database in memory forgets every API key` }
  return { url: `sqlite:${source.absolute(path)}` }
}
