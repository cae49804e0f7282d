/** Who is behind a verified credential. `system` is for the gateway's own acts and never comes from the network. */
export type Actor = 'human' | 'service' | 'agent' | 'system'
