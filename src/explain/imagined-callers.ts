import type { CredentialPlane } from '../domain/plane.ts'
import type { Provider } from '../domain/provider.ts'
import type { Requirement } from '../domain/route.ts'
import type { ImaginedCaller } from './imagined-caller.ts'

/** One caller of each kind. */
export interface ImaginedCallers {
  readonly human: ImaginedCaller
  readonly machineJwt: ImaginedCaller
  readonly apiKey: ImaginedCaller
}

/**
 * Callers who have everything that `require` asks for, as far as their kind can: an API key has neither roles nor claims. Where no provider speaks for a
 * side, its token has no issuer, and is refused as such.
 */
export function callersWith(
  require: Requirement | null,
  providers: readonly Provider[],
  roles: ReadonlyMap<string, ReadonlySet<string>>,
): ImaginedCallers {
  const scopes = [...(require?.scopes ?? []), ...(require?.anyScope.slice(0, 1) ?? [])]
  const held = { scopes, roles: rolesFor(require, roles) }
  const holder = (plane: CredentialPlane): ImaginedCaller => {
    const provider = providers.find((candidate) => speaksFor(candidate, plane))
    return {
      ...held,
      kind: 'jwt',
      plane,
      issuer: provider?.issuer ?? null,
      subject: plane === 'HUMAN' ? 'a-human' : 'a-machine',
      claims: { ...require?.claims, ...(provider === undefined ? {} : planeClaim(provider, plane, require?.claims ?? {})) },
    }
  }
  return {
    human: holder('HUMAN'),
    machineJwt: holder('MACHINE'),
    apiKey: {
      kind: 'api-key',
      plane: 'MACHINE',
      issuer: null,
      subject: 'a-key-owner',
      scopes,
      roles: [],
      claims: {},
    },
  }
}

/** One of the roles that are asked for, and for each permission one that grants it. */
function rolesFor(require: Requirement | null, roles: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const wanted = new Set(require?.roles.slice(0, 1))
  for (const permission of require?.permissions ?? []) {
    const granting = [...roles].filter(([, granted]) => granted.has(permission)).map(([role]) => role)
    const [role] = granting
    if (role !== undefined && !granting.some((one) => wanted.has(one))) wanted.add(role)
  }
  return [...wanted]
}

function speaksFor({ plane }: Provider, side: CredentialPlane): boolean {
  return 'fixed' in plane ? plane.fixed === side : plane[side === 'HUMAN' ? 'human' : 'machine'].length > 0
}

/** The claim by which the provider knows the side; the value that is asked for where that is one of this side. */
function planeClaim({ plane }: Provider, side: CredentialPlane, asked: Requirement['claims']): Record<string, unknown> {
  if ('fixed' in plane) return {}
  const values = plane[side === 'HUMAN' ? 'human' : 'machine']
  return { [plane.claim]: values.find((value) => value === asked[plane.claim]) ?? values[0] }
}
