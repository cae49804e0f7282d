import type { HeaderClassifier } from '../domain/header-class.ts'

const CARRIERS = new Set(['credential', 'api-key', 'proxy-credential', 'cookie'])
/** Characters. What is shorter is a word that may stand anywhere by right. */
const SHORTEST = 12

/**
 * The same without any value that the request carried as a credential, wherever it may stand. Nothing should have brought one there: this is the second
 * look, at the very values.
 */
export function scrubbed<T>(explained: T, rawHeaders: readonly string[], classify: HeaderClassifier): T {
  const secrets = rawHeaders.flatMap((value, index) => {
    const name = index % 2 === 1 ? (rawHeaders[index - 1] as string) : ''
    return CARRIERS.has(classify(name)) ? value.split(/[\s,;]+/).filter((part) => part.length >= SHORTEST) : []
  })
  return secrets.length === 0 ? explained : (without(explained, secrets) as T)
}

function without(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, '[credential]'), value)
  if (Array.isArray(value)) return value.map((item) => without(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, without(inner, secrets)]))
}
