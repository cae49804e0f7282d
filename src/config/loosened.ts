import type { Loosened } from './finding.ts'
import type { GatewayFile } from './schema.ts'
import { formatPath, type Path, type Source } from './source.ts'

/** Milliseconds; beyond it the clocks are wrong, and every token lives longer than its issuer meant. */
const LARGE_SKEW = 60_000

/** Every setting of gateway.yaml that is less strict than its default. PUBLIC routes are not here: they stand in the route table with their reasons. */
export function loosenedDefaults(source: Source, content: GatewayFile): Loosened[] {
  const found: Loosened[] = []
  const add = (path: Path, value: string, reason: string | undefined) =>
    found.push({ file: source.display, ...source.place(path), path: formatPath(path), value, reason: reason ?? null })
  const { revocation, audit, providerStatus, providers } = content
  for (const [index, { clockSkew, requiredClaims }] of providers.entries()) {
    const path = ['providers', index]
    if (clockSkew > LARGE_SKEW) add([...path, 'clockSkew'], `${clockSkew / 1000}s`, undefined)
    if (requiredClaims.length === 0) add([...path, 'requiredClaims'], 'none', undefined)
  }
  if (revocation.onUnavailable === 'allow') add(['revocation', 'onUnavailable'], 'allow', revocation.reason)
  if (audit.onUnavailable === 'shed') add(['audit', 'onUnavailable'], 'shed', audit.reason)
  if (!audit.success) add(['audit', 'success'], 'false', audit.reason)
  if (!audit.limits) add(['audit', 'limits'], 'false', audit.reason)
  if (providerStatus.exposure === 'public') add(['providerStatus', 'exposure'], 'public', undefined)
  return found
}
