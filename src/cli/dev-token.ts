import { formatFinding } from '../config/finding.ts'
import { loadGateway } from '../config/load.ts'
import { type DevelopmentIssuer, developmentIssuerOptions, openDevelopmentIssuer } from '../tokens/development-issuer.ts'
import { DevelopmentKeyError } from '../tokens/development-key.ts'
import { UsageError, type VerbIo } from './arguments.ts'
import { type DevTokenRequest, parseDevTokenRequest } from './dev-token-request.ts'

/** The gateway as configured has no development issuer, or it cannot be opened: exit 1, one sentence a line. */
class NoDevelopmentIssuer extends Error {}

/**
 * `planegate dev-token --sub S …`: prints a token of the built-in development issuer. Gives the exit code: 0 printed, 1 there is no such
 * issuer, 2 wrong usage.
 */
export async function devToken(argv: readonly string[], io: VerbIo): Promise<number> {
  try {
    const request = parseDevTokenRequest(argv)
    const token = signed(request, configuredDevelopmentIssuer(request.config))
    io.out(`${request.json ? JSON.stringify({ token, sub: request.claims.sub, plane: request.claims.plane }) : token}\n`)
    return 0
  } catch (error) {
    if (error instanceof UsageError) {
      io.err(`planegate dev-token: ${error.message}\n`)
      return 2
    }
    if (!(error instanceof NoDevelopmentIssuer || error instanceof DevelopmentKeyError)) throw error
    io.err(`planegate dev-token: ${error.message}\n`)
    return 1
  }
}

function signed({ claims, audience, ttl }: DevTokenRequest, issuer: DevelopmentIssuer): string {
  return issuer.sign(claims, audience === null ? { ttl } : { ttl, audience })
}

/** The development issuer of a configuration. The same rule as for the gateway: development only, and only where it is switched on. */
function configuredDevelopmentIssuer(file: string): DevelopmentIssuer {
  const loaded = loadGateway(file)
  if (!loaded.ok) {
    const mistakes = loaded.mistakes.map(formatFinding).join('\n')
    throw new NoDevelopmentIssuer(`the configuration has mistakes\n${mistakes}`)
  }
  const { gateway } = loaded
  if (gateway.environment !== 'development' || !gateway.developmentIssuer) {
    throw new NoDevelopmentIssuer(`${file} must say environment: development and development: { issuer: true } for this`)
  }
  return openDevelopmentIssuer(developmentIssuerOptions(gateway))
}
