import type { Loosened } from './finding.ts'
import type { GatewayFile } from './schema.ts'
import { formatPath, type Path, type Source } from './source.ts'

/** Every setting of gateway.yaml that is less strict than its default. PUBLIC routes are not here: they stand in the route table with their reasons. */
export function loosenedDefaults(source: Source, content: GatewayFile): Loosened[] {
  const found: Loosened[] = []
  const add = (path: Path, value: string, reason: string | undefined) =>
    found.push({ file: source.display, ...source.place(path), path: formatPath(path), value, reason: reason ?? null })
  const { revocation, audit, providerStatus } = content
  if (revocation.onUnavailable === 'allow') add(['revocation', 'onUnavailable'], 'allow', revocation.reason)
  if (audit.onUnavailable === 'shed') add(['audit', 'onUnavailable'], 'shed', audit.reason)
  if (!audit.success) add(['audit', 'success'], 'false', audit.reason)
  if (!audit.limits) add(['audit', 'limits'], 'false', audit.reason)
  if (providerStatus.exposure === 'public') add(['providerStatus', 'exposure'], 'public', undefined)
  return found
}
