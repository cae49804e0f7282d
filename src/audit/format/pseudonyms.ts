import { createHmac } from 'node:crypto'
import { isIP, SocketAddress } from 'node:net'

/**
 * What a pseudonym stands for. One text has a pseudonym for each, and without the key nobody can tell that the two belong
 * together.
 */
export type PseudonymUse = 'address' | 'subject'

/** Remembered for each use. */
const REMEMBERED = 10_000
/** Longer texts are worked out each time: a few of them would fill the memory. */
const LONGEST_REMEMBERED = 256
/** The first 18 bytes of the 32 that HMAC-SHA256 gives: 144 bits, so that two texts never meet. */
const CHARACTERS = 24

/**
 * Keyed digests in the place of personal data: equal texts have equal ones, so that records can still be told apart and searched
 * by whoever holds the key. Whoever holds the key can also try out all IPv4 addresses; without it nobody can. Another key gives
 * other pseudonyms.
 */
export class Pseudonyms {
  readonly #key: string
  readonly #known: Readonly<Record<PseudonymUse, Remembered>> = { address: new Remembered(), subject: new Remembered() }

  /** Throws a sentence when the key is empty. How long it must be, the configuration says. */
  constructor(key: string) {
    if (key === '') throw new Error('The key of the pseudonyms is empty.')
    this.#key = key
  }

  /**
   * `hmac:` and 24 characters of base64url: the first 18 bytes of HMAC-SHA256 over use, a zero byte and the text. All spellings
   * of an address have the same.
   */
  of(use: PseudonymUse, value: string): string {
    const known = this.#known[use]
    const found = known.get(value)
    if (found !== undefined) return found
    const text = use === 'address' ? oneSpelling(value) : value
    const digest = createHmac('sha256', this.#key).update(`${use}\0${text}`).digest('base64url')
    const pseudonym = `hmac:${digest.slice(0, CHARACTERS)}`
    if (value.length <= LONGEST_REMEMBERED) known.set(value, pseudonym)
    return pseudonym
  }
}

/** As records write addresses: IPv6 as the operating system spells it, IPv4-mapped as IPv4. What is no address stays as it is. */
function oneSpelling(address: string): string {
  if (isIP(address) !== 6) return address
  const spelled = new SocketAddress({ address: address.split('%')[0] ?? '', family: 'ipv6' }).address
  return spelled.startsWith('::ffff:') && spelled.includes('.') ? spelled.slice('::ffff:'.length) : spelled
}

/**
 * The last ones, in two generations: when the young one is full the old one is gone. A look-up writes nothing while a value is
 * young.
 */
class Remembered {
  #young = new Map<string, string>()
  #old = new Map<string, string>()

  get(value: string): string | undefined {
    const young = this.#young.get(value)
    if (young !== undefined) return young
    const old = this.#old.get(value)
    if (old !== undefined) this.set(value, old)
    return old
  }

  /** Keeps a copy: a text cut out of a header or a token would keep all of that in memory. */
  set(value: string, pseudonym: string): void {
    if (this.#young.size >= REMEMBERED / 2) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(Buffer.from(value).toString(), pseudonym)
  }
}
