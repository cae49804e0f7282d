const identifier = { type: 'string', format: 'identifier', minLength: 1, maxLength: 1024 } as const

/** What may be revoked. */
export const REVOCATION_ORDER = {
  type: 'object',
  description: 'a revocation',
  additionalProperties: false,
  properties: {
    session: { ...identifier, description: 'a session (sid) of 1 to 1024 characters, never a token or key itself' },
    tokenId: { ...identifier, description: 'a token id (jti) of 1 to 1024 characters, never a token or key itself' },
    subject: {
      ...identifier,
      description: 'a subject (sub) of 1 to 1024 characters: all its tokens issued until now, and those that do not say when',
    },
    credentialId: {
      type: 'string',
      pattern: '^(?:[0-9A-Za-z]{16}|[0-9a-f]{64})$',
      description: 'the id of an API key, or the SHA-256 of a token in lower-case hex',
    },
    issuer: {
      ...identifier,
      description: 'the issuer (iss) whose session, token or subject is meant (absent: that of every issuer)',
    },
  },
  required: [],
  oneOf: [{ required: ['session'] }, { required: ['tokenId'] }, { required: ['subject'] }, { required: ['credentialId'] }],
  not: { required: ['credentialId', 'issuer'], description: 'credentialId and issuer do not go together' },
} as const

const time = { type: 'string', format: 'date-time' } as const

/** A revocation as it is kept. Of `session`, `tokenId`, `subject` and `credentialId` it has one. */
export const REVOCATION = {
  type: 'object',
  properties: {
    id: { type: 'string' },
    kind: { type: 'string', enum: ['session', 'token', 'subject', 'credential'] },
    session: { type: 'string' },
    tokenId: { type: 'string' },
    subject: { type: 'string' },
    credentialId: { type: 'string' },
    issuer: { type: ['string', 'null'], description: 'null: every issuer' },
    issuedUpTo: { ...time, description: 'of a subject: its tokens issued then or before no longer count' },
    at: time,
    until: {
      type: ['string', 'null'],
      format: 'date-time',
      description: 'from then on nothing that it concerns can be alive, and it is forgotten',
    },
    by: { type: 'string', description: 'who asked for it' },
  },
  required: ['id', 'kind', 'issuer', 'at', 'until', 'by'],
} as const

export const REVOCATIONS = {
  type: 'object',
  properties: { revocations: { type: 'array', items: REVOCATION } },
  required: ['revocations'],
} as const
