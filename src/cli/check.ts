import { AuditKeyError, loadSigningKeys } from '../audit/signing-keys.ts'
import { formatFinding, type Loosened } from '../config/finding.ts'
import type { Gateway } from '../config/gateway.ts'
import { type Loaded, loadGateway } from '../config/load.ts'
import { type Path, readSource } from '../config/source.ts'
import type { Requirement } from '../domain/route.ts'
import { IdentityKeyError, loadIdentityKeys } from '../tokens/identity-keys.ts'
import { DEFAULT_CONFIG, parseVerbArguments, type VerbIo } from './arguments.ts'
import { type RouteReport, routeReports } from './route-report.ts'
import { textTable } from './table.ts'

const OPTIONS = {
  config: { type: 'string', default: DEFAULT_CONFIG },
  strict: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const

/**
 * `check [--strict] [--config F] [--json]`: all validation without starting, identity keys included, the table of routes, and every loosened default.
 * Returns 0, or 1 for mistakes (with `--strict` also for warnings). Throws `UsageError`.
 */
export async function check(argv: readonly string[], io: VerbIo): Promise<number> {
  const { config, strict, json } = parseVerbArguments(argv, OPTIONS).values
  const configured = loadGateway(config)
  const loaded = withKeys(configured)
  const fine = loaded.ok && !(strict && configured.ok && configured.warnings.length > 0)
  if (json) io.out(`${JSON.stringify(asJson(loaded, fine))}\n`)
  else if (loaded.ok) io.out(asText(loaded, strict && !fine))
  else io.out(mistakesText(loaded.mistakes))
  return fine ? 0 : 1
}

/**
 * The keys are read as `serve` will read them: one that cannot be used is a mistake. One that is not there is a warning that `--strict` lets pass,
 * since a configuration is often checked where its keys never are.
 */
function withKeys(loaded: Loaded): Loaded {
  if (!loaded.ok) return loaded
  const source = readSource(loaded.gateway.file)
  const faults = [...identityKeyFaults(loaded.gateway), ...auditKeyFaults(loaded.gateway)]
  if (faults.length === 0) return loaded
  const finding = ({ path, sentence }: KeyFault) => source.finding(path, sentence)
  const mistakes = faults.filter(({ missing }) => !missing).map(finding)
  if (mistakes.length > 0) return { ok: false, mistakes }
  return { ...loaded, warnings: [...faults.map(finding), ...loaded.warnings] }
}

interface KeyFault {
  readonly path: Path
  readonly missing: boolean
  readonly sentence: string
}

function identityKeyFaults({ identity }: Gateway): KeyFault[] {
  try {
    loadIdentityKeys(identity)
    return []
  } catch (error) {
    if (!(error instanceof IdentityKeyError)) throw error
    return error.faults.map(({ file, missing, sentence }) => {
      const index = file === identity.keyFile ? -1 : identity.previousKeyFiles.indexOf(file)
      return { path: ['identity', ...(index === -1 ? ['key'] : ['previousKeys', index]), 'file'], missing, sentence }
    })
  }
}

function auditKeyFaults({ audit }: Gateway): KeyFault[] {
  if (audit.keyFile === null) return []
  try {
    loadSigningKeys(audit.keyFile, audit.previousKeyFiles)
    return []
  } catch (error) {
    if (!(error instanceof AuditKeyError)) throw error
    const index = error.file === audit.keyFile ? -1 : audit.previousKeyFiles.indexOf(error.file)
    const path = ['audit', ...(index === -1 ? ['key'] : ['previousKeys', index]), 'file']
    return [{ path, missing: error.missing, sentence: error.message }]
  }
}

function asJson(loaded: Loaded, ok: boolean) {
  if (!loaded.ok) return { ok, mistakes: loaded.mistakes, warnings: [], loosened: [], routes: [] }
  return { ok, mistakes: [], warnings: loaded.warnings, loosened: loaded.loosened, routes: routeReports(loaded.gateway) }
}

/** Every mistake and how many they are. */
export function mistakesText(mistakes: Extract<Loaded, { ok: false }>['mistakes']): string {
  return `${mistakes.map(formatFinding).join('\n')}\n${counted(mistakes.length, 'mistake')}\n`
}

function asText({ gateway, warnings, loosened }: Extract<Loaded, { ok: true }>, strict: boolean): string {
  const reports = routeReports(gateway)
  const parts = [routeTable(reports), legend(reports)]
  if (loosened.length > 0) parts.push(`Less strict than by default:\n${loosened.map(loosenedLine).join('')}`)
  if (warnings.length > 0)
    parts.push(
      `Warnings${strict ? ', which --strict refuses' : ''}:\n${warnings.map((warning) => `  ${formatFinding(warning)}\n`).join('')}`,
    )
  const providers = gateway.providers.length + (gateway.developmentIssuer ? 1 : 0)
  parts.push(
    `${counted(reports.length, 'route')}, ${counted(providers, 'provider')}, ${counted(warnings.length, 'warning')}, no mistakes\n`,
  )
  return parts.filter((part) => part !== '').join('\n')
}

const HEADINGS = [
  '',
  'METHODS',
  'PATH',
  'HOST',
  'PLANE',
  'KIND',
  'WHO GETS IN',
  'REQUIRE',
  'LIMITS',
  'PAGES OF',
  'UPSTREAM',
  'EXPIRES',
  'REASON',
  'WHERE',
]

const MARKS: Readonly<Record<string, { sign: string; meaning: string }>> = {
  public: { sign: 'P', meaning: 'open to everybody, without any credential' },
  nobody: { sign: '0', meaning: 'open to nobody: no credential that this configuration accepts can pass' },
  'no-require': { sign: '?', meaning: 'no require: any verified actor of the plane' },
  temporary: { sign: 'T', meaning: 'temporary: refused after its date' },
}

function routeTable(reports: readonly RouteReport[]): string {
  const rows = reports.map((route) => [
    route.marks.map((mark) => MARKS[mark]?.sign ?? '').join(''),
    route.methods.join(','),
    route.path,
    route.hosts.length === 0 ? 'any' : route.hosts.join(','),
    route.plane,
    route.kind,
    route.admits.join(', '),
    requirementText(route),
    route.limits.join(','),
    pagesText(route),
    route.upstream ?? '',
    route.expires ?? '',
    route.reason ?? '',
    route.source,
  ])
  return textTable(HEADINGS, rows)
}

function legend(reports: readonly RouteReport[]): string {
  const present = Object.entries(MARKS).filter(([mark]) => reports.some((route) => route.marks.includes(mark)))
  return present.map(([, { sign, meaning }]) => `  ${sign}  ${meaning}\n`).join('')
}

function requirementText({ require, plane }: RouteReport): string {
  if (plane === 'PUBLIC') return ''
  return require === null ? 'any' : parts(require).join(' and ')
}

function pagesText({ cors }: RouteReport): string {
  if (cors === null) return ''
  const origins = cors.origins[0] === '*' ? 'any origin' : cors.origins.join(',')
  return cors.credentials ? `${origins} with cookies` : origins
}

function parts(require: Requirement): string[] {
  const written: string[] = []
  if (require.scopes.length > 0) written.push(`scopes ${require.scopes.join('+')}`)
  if (require.anyScope.length > 0) written.push(`a scope of ${require.anyScope.join('|')}`)
  if (require.roles.length > 0) written.push(`a role of ${require.roles.join('|')}`)
  if (require.permissions.length > 0) written.push(`permissions ${require.permissions.join('+')}`)
  if (require.actors.length > 0) written.push(`an actor of ${require.actors.join('|')}`)
  for (const [claim, value] of Object.entries(require.claims)) written.push(`${claim}=${JSON.stringify(value)}`)
  return written
}

function loosenedLine({ file, line, column, path, value, reason }: Loosened): string {
  return `  ${file}:${line}:${column} ${path}: ${value}${reason === null ? '' : ` (${reason})`}\n`
}

function counted(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`
}
