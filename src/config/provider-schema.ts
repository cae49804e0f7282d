import { z } from 'zod'
import { identifier, word } from './name-values.ts'
import { webUrl } from './network-values.ts'
import { duration, filePath } from './values.ts'

const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'] as const

const algorithm = z.enum(ALGORITHMS, {
  error: ({ input }) => {
    if (typeof input !== 'string') return undefined
    if (/^HS/i.test(input))
      return `${input} is refused: whoever can verify with a shared secret can also sign; use one of ${ALGORITHMS.join(', ')}`
    return /^none$/i.test(input)
      ? `none is refused: it would accept unsigned tokens; use one of ${ALGORITHMS.join(', ')}`
      : undefined
  },
})

const claimName = () => word('the name of a claim', 'sub')

const planeByClaim = z.strictObject({
  claim: claimName().describe('The claim that tells.'),
  machine: z.array(z.string().min(1)).prefault([]).describe('Values that mean a machine.'),
  human: z.array(z.string().min(1)).prefault([]).describe('Values that mean a human.'),
})

const plane = z
  .union([z.enum(['HUMAN', 'MACHINE']), planeByClaim], {
    error: 'must be HUMAN, MACHINE, or { claim: NAME, machine: [VALUES], human: [VALUES] }',
  })
  .describe(
    'Which side its tokens speak for: all the same, or told by one claim. A token whose claim holds none of the values is refused.',
  )

const jwks = z
  .union(
    [
      z.strictObject({
        url: webUrl('https://id.example.com/.well-known/jwks.json').describe('Fetched, and fetched again when a key is unknown.'),
      }),
      z.strictObject({ file: filePath().describe('A key set on disk.') }),
    ],
    { error: 'must be { url: URL } or { file: PATH }' },
  )
  .describe('Where its public keys are. Absent: found by OpenID Connect discovery.')

const claims = z
  .strictObject({
    subject: claimName().prefault('sub').describe('Who it is.'),
    session: claimName().prefault('sid').describe('The session, for revocation.'),
    scopes: claimName().prefault('scope').describe('Space-separated text or a list.'),
    roles: claimName().prefault('roles').describe('List of role names.'),
    account: claimName().prefault('account_id').describe('The account.'),
    team: claimName().prefault('team_id').describe('The team.'),
  })
  .prefault({})
  .describe('Which claim carries what.')

/** One trusted issuer of tokens. */
export const providerSchema = z.strictObject({
  name: identifier().describe('What logs, metrics and `--provider` call it.'),
  plane,
  issuer: webUrl('https://id.example.com').describe('Compared with `iss` character by character.'),
  audiences: z.array(word('an audience', 'https://api.example.com')).min(1).describe('A token must name one of them in `aud`.'),
  algorithms: z.array(algorithm).min(1).describe('Accepted signature algorithms. Never `none`, never HS*.'),
  jwks: jwks.optional(),
  types: z.array(word('a token type', 'at+jwt')).min(1).prefault(['at+jwt', 'JWT']).describe('Accepted `typ` values (RFC 9068).'),
  clockSkew: duration({ min: '0s', max: '10m' }).prefault('30s').describe('How far the clocks may differ.'),
  requiredClaims: z.array(claimName()).prefault(['sub']).describe('Claims that every token must carry.'),
  claims,
})
