import type { FastifyServerOptions } from 'fastify'
import { LONGEST_LIFETIME } from '../../admin/key-desk.ts'
import { redactCredentials } from '../../domain/credential-shape.ts'
import { parseDuration } from '../../domain/duration.ts'
import { isOwner, isScope } from '../../domain/key-fields.ts'
import { parseTimestamp } from '../../domain/timestamp.ts'

/** Characters (UTF-16) of a session, token id, subject or issuer. */
const LONGEST_IDENTIFIER = 1024

/** The checks that a `format` of the schemas stands for. A text that holds a credential names nobody and nothing. */
function formats(isNetwork: (text: string) => boolean): Readonly<Record<string, (text: string) => boolean>> {
  const lasts = (text: string, least: number) => {
    const ms = parseDuration(text)
    return ms !== null && ms >= least && ms <= LONGEST_LIFETIME
  }
  const holdsNoCredential = (text: string) => redactCredentials(text) === text
  return {
    owner: (text) => isOwner(text) && holdsNoCredential(text),
    scope: (text) => isScope(text) && holdsNoCredential(text),
    network: isNetwork,
    lifetime: (text) => lasts(text, 1),
    overlap: (text) => lasts(text, 0),
    // An unpaired surrogate is in no token, and no database gives it back.
    identifier: (text) => text.length <= LONGEST_IDENTIFIER && text.isWellFormed() && holdsNoCredential(text),
    'date-time': (text) => parseTimestamp(text) !== null,
  }
}

/**
 * How bodies are validated: as they were sent. Fastify's own settings would turn `"5"` into 5, fill in defaults, and drop what nobody knows, so that a
 * mistyped member would be taken for one that is absent.
 */
export function strictValidation(isNetwork: (text: string) => boolean): NonNullable<FastifyServerOptions['ajv']> {
  return {
    customOptions: {
      coerceTypes: false,
      useDefaults: false,
      removeAdditional: false,
      allowUnionTypes: true,
      allErrors: true,
      verbose: true,
    },
    onCreate(ajv) {
      for (const [name, validate] of Object.entries(formats(isNetwork))) ajv.addFormat(name, { type: 'string', validate })
    },
  }
}
