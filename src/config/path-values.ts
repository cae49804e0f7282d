import { canonicalPath } from '../domain/canonical-path.ts'
import { text } from './values.ts'

const AMBIGUITIES: Readonly<Record<string, string>> = {
  'encoded-separator': 'must not hold an encoded slash or backslash',
  backslash: 'must not hold a backslash',
  'dot-segment': 'must not hold `.` or `..` segments',
  'empty-segment': 'must not hold `//`',
  'path-parameter': 'must not hold `;`: path parameters are refused',
  'control-character': 'must not hold spaces or control characters',
  'double-encoding': 'must not hold an escape of an escape',
  'invalid-encoding': 'must hold only ASCII and valid percent-encoding, without a query',
  'look-alike': 'must not hold characters that some servers read as a separator',
}

/** Why a literal path would never match what the gateway compares it with, or null. */
function literalProblem(path: string): string | null {
  if (!path.startsWith('/')) return 'must start with `/`'
  const reading = canonicalPath(path)
  if ('ambiguity' in reading) return AMBIGUITIES[reading.ambiguity] ?? 'can be read in more than one way'
  return reading.path === path ? null : `must be in canonical percent-encoding: ${reading.path}`
}

function patternProblem(path: string): string | null {
  if (!path.startsWith('/')) return 'must start with `/`'
  const seen = new Set<string>()
  const segments = path.slice(1).split('/')
  for (const [index, segment] of segments.entries()) {
    if (segment === '*' && index === segments.length - 1) continue
    if (segment.includes('*')) return 'may have one `*` only, as its last segment: /accounts/*'
    if (!segment.includes(':')) continue
    if (!/^:[A-Za-z_][A-Za-z0-9_]*$/.test(segment)) return 'a parameter is a whole segment, written :name'
    if (seen.has(segment)) return `has two parameters of the name ${segment}`
    seen.add(segment)
  }
  return literalProblem(path)
}

/** The path of a route. */
export function routePath() {
  return text({ title: 'a path', example: '/api/v1/accounts/*', problem: patternProblem })
}

/** A worker or admin path: literal, with a trailing `/*` for everything below. */
export function guardedPath() {
  const problem = (value: string) => {
    const literal = value.endsWith('/*') ? value.slice(0, -2) || '/' : value
    return /[*:]/.test(literal) ? 'must be literal, with at most a trailing /*' : literalProblem(literal)
  }
  return text({ title: 'a path', example: '/workers/*', problem })
}

/** What is taken off the front of a path: literal, whole segments. */
export function pathPrefix() {
  const problem = (value: string) => {
    if (/[*:]/.test(value)) return 'must be literal: no parameters, no `*`'
    if (value.endsWith('/')) return 'must not end with `/`; write /api'
    return literalProblem(value)
  }
  return text({ title: 'a path', example: '/api', problem })
}
