/** Control characters, and those that change the direction of what follows: what a client sent must not command a terminal. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g

/** A text of unknown origin as one line that can be shown. */
export function plainText(text: string): string {
  return text.replace(UNSAFE, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** A value as JSON, in one line that can be shown: `JSON.stringify` leaves most of those characters as they are, and they only stand within texts. */
export function plainJson(value: unknown): string {
  return plainText(stringified(value))
}

/** Deeper than the stack: JSON can be read to any depth, and not written. */
function stringified(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof RangeError) return '{"unreadable":"nested too deep to be shown"}'
    throw error
  }
}
