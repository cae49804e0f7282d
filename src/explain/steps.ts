import { STAGES, type Stage } from '../pipeline/proof.ts'
import { Refusal } from '../problem/refusal.ts'
import { checkOriginWords, matchKindWords, readCredentialWords } from './stages/credential.ts'
import { forwardWords } from './stages/forward.ts'
import { checkRevocationWords, refuseGuessingWords, verifyWords } from './stages/identity.ts'
import { authorizeWords, takeAllowancesWords, vouchWords } from './stages/permission.ts'
import { matchRouteWords, refuseAmbiguityWords, takeAddressAllowanceWords } from './stages/reading.ts'
import type { Speaker, Step, World } from './step.ts'
import type { Trace } from './trace.ts'

/** Every stage has its words: one that is added without them does not compile. */
const WORDS: Readonly<Record<Stage, Speaker>> = {
  takeAddressAllowance: takeAddressAllowanceWords,
  refuseAmbiguity: refuseAmbiguityWords,
  matchRoute: matchRouteWords,
  readCredential: readCredentialWords,
  matchKind: matchKindWords,
  checkOrigin: checkOriginWords,
  refuseGuessing: refuseGuessingWords,
  verify: verifyWords,
  checkRevocation: checkRevocationWords,
  takeAllowances: takeAllowancesWords,
  authorize: authorizeWords,
  vouch: vouchWords,
}

/** The whole way of a request, those stages included that it did not come to. `late`: why the listener refused what was granted. */
export function stepsOf({ inbound, proofs, outcome }: Trace, late: Refusal | null, world: World): Step[] {
  const steps: Step[] = []
  let refused = false
  let before: Trace['evidence'] = { inbound }
  for (const stage of STAGES) {
    const after = proofs.find((proof) => proof.givenBy === stage)?.facts ?? null
    const refusal: Refusal | null = after === null && !refused && outcome instanceof Refusal ? outcome : null
    if (after === null && refusal === null) steps.push(notReached(stage))
    else steps.push({ stage, verdict: after === null ? 'refused' : 'passed', ...WORDS[stage]({ before, after, refusal, world }) })
    refused ||= refusal !== null
    before = after ?? before
  }
  if (refused) steps.push(notReached('forward'))
  else
    steps.push({
      stage: 'forward',
      verdict: late === null ? 'passed' : 'refused',
      ...forwardWords({ before, after: late === null ? before : null, refusal: late, world }),
    })
  return steps
}

function notReached(stage: Step['stage']): Step {
  return { stage, verdict: 'not-reached', input: null, says: null, rule: null }
}
