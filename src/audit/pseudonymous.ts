import { isIP } from 'node:net'
import type { ChangeRecord } from '../domain/change-record.ts'
import type { DecisionRecord } from '../domain/decision-record.ts'
import type { Pseudonyms } from './format/pseudonyms.ts'

/*
 * What stands for a person in a record is replaced here, in one place, before the record is written down. Records of closed
 * streams name nobody and pass as they are. docs/audit.md says what stays in clear.
 */

/** The record with client address and subject replaced. */
export function pseudonymousDecision(record: DecisionRecord, pseudonyms: Pseudonyms): DecisionRecord {
  const { clientIp, subject } = record
  return {
    ...record,
    clientIp: pseudonyms.of('address', clientIp),
    subject: subject === null ? null : pseudonyms.of('subject', subject),
  }
}

/**
 * The record with the address of who did it replaced, and everything in it that names a person. Accounts of the command line
 * stay: who administers the gateway answers for it by name.
 */
export function pseudonymousChange(record: ChangeRecord, pseudonyms: Pseudonyms): ChangeRecord {
  const what = Object.entries(record.what).map(([name, value]) => [name, REPLACED.get(name)?.(value, pseudonyms) ?? value])
  return { ...record, by: pseudonymousActor(record.by, pseudonyms), what: Object.fromEntries(what) }
}

type Value = ChangeRecord['what'][string]

/**
 * Members of `what` that name a person. `owner` is the subject of an API key's requests; `unreadable` is a damaged row as it
 * stands, with whoever is in it.
 */
const REPLACED: ReadonlyMap<string, (value: Value, pseudonyms: Pseudonyms) => Value> = new Map([
  ['owner', pseudonymousSubject],
  ['subject', pseudonymousSubject],
  ['unreadable', pseudonymousSubject],
  ['cidrs', pseudonymousNetworks],
])

/** A row that somebody damaged may hold anything in the place of the name. */
function pseudonymousSubject(value: Value, pseudonyms: Pseudonyms): Value {
  if (value === null) return null
  return pseudonyms.of('subject', typeof value === 'string' ? value : JSON.stringify(value))
}

/** A network of one address is that address; wider ones name no one. */
function pseudonymousNetworks(value: Value, pseudonyms: Pseudonyms): Value {
  if (!Array.isArray(value)) return pseudonymousSubject(value, pseudonyms)
  return value.map((network: unknown) => {
    const text = typeof network === 'string' ? network : JSON.stringify(network)
    const [address = '', prefix] = text.split('/')
    const version = isIP(address)
    if (version === 0) return pseudonyms.of('subject', text)
    const single = prefix === undefined || prefix === (version === 4 ? '32' : '128')
    return single ? pseudonyms.of('address', address) : text
  })
}

/** Who gave a command, or started the gateway. */
const ACCOUNT = /^(?:start )?command-line /

/** `admin-api 10.0.0.7`: the first word says by which way, and stays; what follows it is an address, unless it is an account. */
function pseudonymousActor(by: string, pseudonyms: Pseudonyms): string {
  const space = by.indexOf(' ')
  if (space === -1 || ACCOUNT.test(by)) return by
  return `${by.slice(0, space)} ${pseudonyms.of('address', by.slice(space + 1))}`
}
