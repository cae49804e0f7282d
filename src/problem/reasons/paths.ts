import type { Explanations } from './explanation.ts'

/** `path-ambiguous`: paths that two servers could read as two different ones. There is no switch for any of them. */
export const AMBIGUOUS_PATHS = {
  'encoded-separator': {
    means: 'The path holds `%2F` or `%5C`: a slash or backslash that only some servers decode.',
    remedy: 'Change the API so that such a value travels in the query or the body, or is written in base64url.',
  },
  backslash: {
    means: 'The path holds `\\`, which some servers read as `/`.',
    remedy: 'Make the client write `/`.',
  },
  'dot-segment': {
    means: 'The path holds `.` or `..` as a segment, plain or encoded, which would lead to another path.',
    remedy:
      'Make the client resolve the path before it sends it; a wrong base address is the usual cause. From a stranger it is an attack.',
  },
  'empty-segment': {
    means: 'The path holds `//`, which some servers read as `/`.',
    remedy: 'Look for a base address in the client that ends in `/` before a path that begins with one.',
  },
  'path-parameter': {
    means: 'The path holds `;` or `%3B`; some servers cut the segment off there.',
    remedy: 'Java clients append `;jsessionid=…`: switch URL rewriting off. Other values belong in the query.',
  },
  'control-character': {
    means: 'The path holds a space, a line end, a NUL or another control character, plain or encoded.',
    remedy:
      'Make the client trim and check what it puts into the path (a space is `%20` and is taken). From a stranger it is an attack.',
  },
  'double-encoding': {
    means: 'The path holds an escape that was escaped once more, such as `%252F`.',
    remedy: 'Find who encodes a second time: the client, or a proxy before the gateway that rewrites paths.',
  },
  'invalid-encoding': {
    means: 'The path holds a `%` without two hex digits, bytes that are not UTF-8, or characters that must be percent-encoded.',
    remedy: 'Make the client percent-encode path segments as UTF-8.',
  },
  'look-alike': {
    means: 'The path holds a character that Unicode normalisation turns into `/`, `\\`, `;`, `%` or a dot segment.',
    remedy: 'Remove the character from the name in question. From a stranger it is an attack.',
  },
} as const satisfies Explanations
