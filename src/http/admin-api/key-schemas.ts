import { KEY_STATES } from '../../admin/key-facts.ts'

const time = { type: 'string', format: 'date-time' } as const
const timeOrNull = { type: ['string', 'null'], format: 'date-time' } as const

/** What may be asked of a new key. `format` names a check of `formats.ts`; `description` is also what a mistake is told with. */
export const KEY_ORDER = {
  type: 'object',
  description: 'a new API key',
  additionalProperties: false,
  properties: {
    owner: {
      type: 'string',
      format: 'owner',
      maxLength: 256,
      description: 'an owner in 1 to 256 printable characters, without spaces at its ends',
    },
    scopes: {
      type: 'array',
      maxItems: 100,
      description: 'a list of at most 100 scopes',
      items: {
        type: 'string',
        format: 'scope',
        maxLength: 256,
        description: 'a scope of printable ASCII without spaces, quotes or backslashes',
      },
    },
    expiresIn: { type: 'string', format: 'lifetime', description: 'a duration such as 90d, at most 36500d' },
    expiresAt: { type: 'string', format: 'date-time', description: 'a date and time such as 2027-06-30T12:00:00Z' },
    cidrs: {
      type: 'array',
      maxItems: 100,
      description: 'a list of at most 100 networks',
      items: { type: 'string', format: 'network', maxLength: 64, description: 'a network such as 10.0.0.0/8 or 2001:db8::/32' },
    },
  },
  required: ['owner'],
  not: { required: ['expiresIn', 'expiresAt'], description: 'expiresIn and expiresAt do not go together' },
} as const

/** How long the old key works on. */
export const ROTATION_ORDER = {
  type: ['object', 'null'],
  description: 'how a key is rotated',
  additionalProperties: false,
  properties: {
    overlap: { type: 'string', format: 'overlap', description: 'a duration such as 24h or 0s, at most 36500d (absent: 24h)' },
  },
  required: [],
} as const

/** A request that asks for nothing beyond its path. */
export const NOTHING = {
  type: ['object', 'null'],
  description: 'an empty object',
  additionalProperties: false,
  properties: {},
  required: [],
} as const

const facts = {
  id: { type: 'string', description: 'public part of the key; stands in logs' },
  owner: { type: 'string' },
  state: { type: 'string', enum: KEY_STATES, description: 'rotating: works, but has a successor and an end' },
  scopes: { type: 'array', items: { type: 'string' } },
  cidrs: { type: 'array', items: { type: 'string' }, description: 'networks that it may be used from; empty: any' },
  createdAt: time,
  expiresAt: timeOrNull,
  revokedAt: timeOrNull,
  replacedBy: { type: ['string', 'null'], description: 'the key that took its place' },
} as const
const always = ['id', 'owner', 'state', 'scopes', 'cidrs', 'createdAt', 'expiresAt', 'revokedAt', 'replacedBy'] as const
const secret = { type: 'string', description: 'the key itself; this is the only time that it is shown' } as const

/** A key as it may be shown. What is not named here is not sent. */
export const KEY = { type: 'object', properties: facts, required: always } as const

export const KEYS = { type: 'object', properties: { keys: { type: 'array', items: KEY } }, required: ['keys'] } as const

export const NEW_KEY = { type: 'object', properties: { ...facts, key: secret }, required: [...always, 'key'] } as const

export const SUCCESSOR = {
  type: 'object',
  properties: {
    ...facts,
    key: secret,
    replaced: {
      type: 'object',
      description: 'the old key and when it ends',
      properties: { id: { type: 'string' }, expiresAt: timeOrNull },
      required: ['id', 'expiresAt'],
    },
  },
  required: [...always, 'key', 'replaced'],
} as const
