import { DEFAULT_OVERLAP, type KeyDesk, type KeyOrder, LONGEST_LIFETIME, type Rotation } from '../../admin/key-desk.ts'
import { keyFacts } from '../../admin/key-facts.ts'
import { parseDuration } from '../../domain/duration.ts'
import { parseTimestamp, timeText } from '../../domain/timestamp.ts'
import type { Clock } from '../../ports/clock.ts'
import { Refusal } from '../../problem/refusal.ts'
import type { Asked, Performers } from './operations.ts'

type KeyPerformers = Pick<Performers, 'createKey' | 'listKeys' | 'showKey' | 'rotateKey' | 'revokeKey'>

/** API keys over HTTP. */
export function keyPerformers(desk: KeyDesk, clock: Clock): KeyPerformers {
  return {
    async createKey({ body, by }) {
      const { owner, scopes = [], cidrs = [] } = body
      const { key, record } = await desk.create({ owner, scopes, cidrs, end: endOf(body, clock.now()) }, by)
      return { ...keyFacts(record, clock.now()), key }
    },

    async listKeys() {
      const now = clock.now()
      return { keys: (await desk.list()).map((record) => keyFacts(record, now)) }
    },

    async showKey({ id }) {
      return keyFacts((await desk.find(id)) ?? unknownKey(), clock.now())
    },

    async rotateKey({ id, body, by }) {
      const rotation = await desk.rotate(id, parseDuration(body.overlap ?? DEFAULT_OVERLAP) ?? 0, by)
      if (!rotation.done) throw refusalOf(rotation)
      const { key, record, oldEnd } = rotation
      return { ...keyFacts(record, clock.now()), key, replaced: { id, expiresAt: timeText(oldEnd) } }
    },

    async revokeKey({ id, by }) {
      return keyFacts((await desk.revoke(id, by)) ?? unknownKey(), clock.now())
    },
  }
}

function endOf({ expiresIn, expiresAt }: Asked<'createKey'>['body'], now: number): KeyOrder['end'] {
  if (expiresIn !== undefined) return { after: parseDuration(expiresIn) ?? 0 }
  if (expiresAt === undefined) return null
  const at = parseTimestamp(expiresAt) ?? 0
  if (at > now && at <= now + LONGEST_LIFETIME) return { at }
  const message = 'must be in the future, at most 36500 days from now'
  throw new Refusal('request-malformed', 'fields-invalid', { errors: [{ path: '/expiresAt', message }] })
}

const REASONS = {
  revoked: 'the key is revoked; create a new one',
  expired: 'the key is expired; create a new one',
  'changed-meanwhile': 'the key was changed by someone else meanwhile; nothing was done',
}

function refusalOf(rotation: Extract<Rotation, { done: false }>): Refusal {
  const { why } = rotation
  if (why === 'unknown') return new Refusal('key-unknown', 'key-unknown')
  const message = why === 'rotated' ? `the key was rotated before; ${rotation.replacedBy} took its place` : REASONS[why]
  return new Refusal('key-not-active', `key-${why}`, { errors: [{ path: '', message }] })
}

function unknownKey(): never {
  throw new Refusal('key-unknown', 'key-unknown')
}
