// Checked by tsc, never run: each line marked below must fail to compile, or the set of reasons is not closed.
import type { Malformation } from '../../src/domain/inbound.ts'
import type { Verification } from '../../src/ports/verifier.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import type { RefusalCode } from '../../src/problem/refusals.ts'

export function misuse(
  code: RefusalCode,
  text: string,
  found: { code: RefusalCode; reason: 'expired' },
  refusal: Refusal,
): unknown[] {
  // @ts-expect-error nobody has listed this reason
  const unlisted: Verification = { verified: false, reason: 'signature-wrong' }
  // @ts-expect-error a parser finds nothing that is not listed
  const unparsed: Malformation = { code: 'request-malformed', reason: 'expired' }
  return [
    unlisted,
    unparsed,
    new Refusal('credential-invalid', 'signature-invalid'),
    // @ts-expect-error no table has it
    new Refusal('credential-invalid', 'signature-wrong'),
    // @ts-expect-error it belongs to another code
    new Refusal('credential-missing', 'signature-invalid'),
    // @ts-expect-error a reason is no text
    new Refusal('credential-invalid', text),
    // @ts-expect-error the code it belongs to is one of many
    new Refusal(code, 'expired'),
    // @ts-expect-error this code is never given
    new Refusal('upstream-open', 'connection-refused'),
    // @ts-expect-error two that were found together belong together
    Refusal.for({ code: 'path-ambiguous', reason: 'expired' }),
    // @ts-expect-error the code it belongs to is one of many
    Refusal.for(found),
    // @ts-expect-error of a refusal whose code is not known, the reason may be any
    new Refusal('credential-invalid', refusal.reason),
    refusal.is('credential-invalid') && new Refusal('credential-invalid', refusal.reason),
  ]
}
