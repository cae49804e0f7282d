/** What each kind of caller would get who has everything that the rule asks for: `allow`, or the code of the refusal. */
export interface Row {
  readonly human: string
  readonly machineJwt: string
  readonly apiKey: string
  readonly nobody: string
}

export function sameForAll(verdict: string): Row {
  return { human: verdict, machineJwt: verdict, apiKey: verdict, nobody: verdict }
}
