/** Claims as they came out of a JSON payload. */
export type Claims = Readonly<Record<string, unknown>>

// Each reads one claim in the form that the gateway writes it and throws TypeError for any other. The claim is named, its value is not.

export function text(claims: Claims, name: string): string {
  const value = claims[name]
  return typeof value === 'string' ? value : unexpected(name)
}

export function requiredText(claims: Claims, name: string): string {
  return text(claims, name) || unexpected(name)
}

export function optionalText(claims: Claims, name: string): string | null {
  return claims[name] === undefined ? null : text(claims, name)
}

/** A list of strings; absent: an empty one. */
export function optionalTexts(claims: Claims, name: string): readonly string[] {
  const value = claims[name]
  if (value === undefined) return []
  return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : unexpected(name)
}

/** A NumericDate (RFC 7519 section 2) in whole seconds. */
export function time(claims: Claims, name: string): number {
  const value = claims[name]
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : unexpected(name)
}

export function record(claims: Claims, name: string): Claims | null {
  const value = claims[name]
  if (value === undefined) return null
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Claims) : unexpected(name)
}

/** What a Txn-Token says of its request (draft-ietf-oauth-transaction-tokens); absent from every other assertion. */
export function transaction(claims: Claims): { readonly id: string; readonly method: string; readonly route: string } | null {
  const context = record(claims, 'tctx')
  if (context === null) return null
  return { id: requiredText(claims, 'txn'), method: requiredText(context, 'method'), route: requiredText(context, 'route') }
}

function unexpected(name: string): never {
  throw new TypeError(`unexpected "${name}" claim`)
}
