import { headerClassifier } from '../domain/header-class.ts'
import { foldHeaderName } from '../domain/header-name.ts'
import { text } from './values.ts'

const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/
/** RFC 6749 section 3.3: printable ASCII without space, quote and backslash. */
const SCOPE = /^[\x21\x23-\x5b\x5d-\x7e]+$/

/** A name that goes into logs, metric labels and header fields. */
export function identifier() {
  return text({
    title: 'a name',
    form: 'of at most 64 letters, digits, `.`, `_` and `-`',
    example: 'accounts',
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
  })
}

/** A scope, role or permission. */
export function scope() {
  return text({ title: 'a scope', form: 'without spaces, quotes and backslashes', example: 'accounts:read', pattern: SCOPE })
}

/** A claim's name, a media type and the like: printable and not blank. */
export function word(title: string, example: string) {
  return text({ title, example, pattern: /^[\x21-\x7e]+$/ })
}

/** Words for a person who reads the configuration. */
export function explanation() {
  return text({ title: 'a sentence', example: 'uptime probe, carries no data', pattern: /\S/ })
}

export function cookieName() {
  return text({ title: 'a cookie name', example: 'locale', pattern: TOKEN })
}

const KINDS = headerClassifier({ apiKeyHeader: 'x-api-key', identityHeaders: [] })

/** A request header that the gateway owns. Refuses names that already mean something to HTTP, in any spelling. */
export function ownHeader(example: string) {
  const problem = (value: string) => {
    if (foldHeaderName(value) === 'txn-token')
      return `is what identity.binding: request sends by itself; choose another name such as ${example}`
    return ['plain', 'api-key', 'identity'].includes(KINDS(value))
      ? null
      : `has a meaning of its own in HTTP; choose another name such as ${example}`
  }
  return text({ title: 'a header name', example, pattern: TOKEN, problem })
}

/** A request header that a page may be allowed to set. `*` would not cover Authorization, and what the gateway removes would be allowed for nothing. */
export function pageHeader() {
  const problem = (value: string) => {
    if (value === '*') return 'must name one header each: browsers do not take * for Authorization'
    return ['plain', 'credential', 'api-key', 'trace'].includes(KINDS(value))
      ? null
      : 'is removed or rebuilt by the gateway, so allowing it would do nothing'
  }
  return text({ title: 'a header name', example: 'Content-Type', pattern: TOKEN, problem })
}

/** A header name, or the start of one followed by `*`. */
export function reservedHeader() {
  const problem = (value: string) =>
    ['plain', 'identity', 'forwarded', 'routing'].includes(KINDS(value.replace(/\*$/, '')))
      ? null
      : 'cannot be reserved: the gateway already rules it'
  return text({ title: 'a header name', example: 'X-Employee-*', pattern: /^[!#$%&'+.^_`|~0-9A-Za-z-]+\*?$/, problem })
}
