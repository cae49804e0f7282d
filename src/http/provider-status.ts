import type { Check, Readiness } from './readiness.ts'

/** What is known of one provider's keys. */
export interface ProviderDiagnostics {
  readonly keyIds: readonly string[]
  /** Milliseconds; null: none fetched yet. */
  readonly ageMs: number | null
  /** Milliseconds since the epoch; null: never. */
  readonly lastFetchAt: number | null
  /** Class of the last error; null: the last fetch went well. */
  readonly lastError: string | null
}

/** What the status document is made from. */
export interface ProviderStatusOptions {
  readonly providers: readonly { readonly name: string; readonly human: boolean }[]
  /** `PLANEGATE_PROVIDER`, when set. */
  readonly requested: string | null
  readonly readiness: Readiness
  readonly diagnostics: () => Readonly<Record<string, ProviderDiagnostics>>
  /** Leaves out details and diagnostics: for a document that everybody may read. */
  readonly terse: boolean
}

/** The provider status document: always exactly these fields, and no secret. */
export function providerStatus({ providers, requested, readiness, diagnostics, terse }: ProviderStatusOptions): object {
  const canonical = providers.find((provider) => provider.human)?.name ?? null
  const wanted = requested ?? canonical
  const checks = readiness.checks()
  const effective = wanted !== null && isReady(wanted, providers, checks) ? wanted : null
  return {
    requested_provider: wanted,
    effective_provider: effective,
    canonical_provider: canonical,
    configured: providers.map((provider) => provider.name),
    readiness: {
      ready: readiness.ready,
      checks: checks.map(({ name, provider, ok, detail }) => ({ name, provider, ok, detail: terse ? '' : detail })),
    },
    provider_diagnostics: terse
      ? {}
      : Object.fromEntries(Object.entries(diagnostics()).map(([name, keys]) => [name, shown(keys)])),
    deprecation: null,
  }
}

function isReady(name: string, providers: ProviderStatusOptions['providers'], checks: readonly Check[]): boolean {
  return providers.some((provider) => provider.name === name) && checks.every((check) => check.provider !== name || check.ok)
}

function shown({ keyIds, ageMs, lastFetchAt, lastError }: ProviderDiagnostics): object {
  return {
    key_ids: keyIds,
    keys_age_seconds: ageMs === null ? null : Math.round(ageMs / 1000),
    last_fetch: lastFetchAt === null ? null : new Date(lastFetchAt).toISOString(),
    last_error: lastError,
  }
}
