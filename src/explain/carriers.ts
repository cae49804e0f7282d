import type { Target } from '../domain/inbound.ts'
import { withoutCredentials } from '../domain/query-credentials.ts'
import type { Pipeline } from '../pipeline/pipeline.ts'
import { shown } from './text.ts'

/**
 * Where in a request a credential stands, by the names of the carriers and never their values. The same classes that I1 counts; how many credentials one
 * carrier holds is for I1 to say.
 */
export function carriersOf(
  rawHeaders: readonly string[],
  target: Target,
  { classifyHeader, credentialShape }: Pick<Pipeline, 'classifyHeader' | 'credentialShape'>,
): string[] {
  const carriers: string[] = []
  for (let index = 0; index + 1 < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string
    const value = rawHeaders[index + 1] as string
    const kind = classifyHeader(name)
    if (kind === 'credential') carriers.push(`${shown(name)} (${schemeOf(value)})`)
    else if (kind === 'api-key') carriers.push(`${shown(name)} (an API key)`)
    else if (kind === 'proxy-credential') carriers.push(`${shown(name)} (meant for a proxy)`)
    else if (/^\s*pgk_/i.test(value)) carriers.push(`${shown(name)} (what begins like an API key)`)
  }
  const inQuery = withoutCredentials(target.query, credentialShape).credentials
  if (inQuery > 0) carriers.push(`the query (${inQuery})`)
  if (credentialShape.isIn(target.path)) carriers.push('the path')
  return carriers
}

/** Only schemes that are no secret themselves are named: a client may have written the bare token. */
function schemeOf(value: string): string {
  const scheme = /^[a-z]+(?= |$)/i.exec(value)?.[0].toLowerCase() ?? ''
  if (value === '') return 'empty'
  return SCHEMES.has(scheme) ? scheme : 'no scheme that is known'
}

const SCHEMES = new Set(['bearer', 'basic', 'digest', 'dpop', 'negotiate', 'hawk', 'apikey', 'token'])
