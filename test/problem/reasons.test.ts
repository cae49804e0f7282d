import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { cell, REASONS_FILE, reasonsPage } from '../../scripts/reasons.ts'
import { UNREFUSED } from '../../src/problem/reasons/administration.ts'
import type { Explanation, Explanations } from '../../src/problem/reasons/explanation.ts'
import { NEVER_GIVEN, REASONS, reasonOf } from '../../src/problem/reasons.ts'
import { Refusal } from '../../src/problem/refusal.ts'
import { REFUSALS, type RefusalCode } from '../../src/problem/refusals.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const TABLES: readonly (readonly [string, Explanations])[] = [
  ...Object.entries<Explanations>(REASONS),
  ['without a refusal', UNREFUSED],
]
const ROWS = TABLES.flatMap(([code, rows]) => Object.entries(rows).map(([reason, row]) => ({ code, reason, ...row })))

const ROOMS = ['domain', 'ports', 'invariants', 'pipeline', 'stores', 'tokens', 'upstream', 'http']
/** All that could write a reason: the rooms that refuse. */
const SOURCES = ROOMS.flatMap((room) =>
  readdirSync(join(ROOT, 'src', room), { recursive: true }).map((name) => join(room, String(name))),
)
  .filter((name) => name.endsWith('.ts'))
  .concat(join('problem', 'refusal.ts'))
  .map((name) => readFileSync(join(ROOT, 'src', name), 'utf8'))
  .join('\n')
const WORDS = new Set([...SOURCES.matchAll(/'([a-z0-9]+(?:-[a-z0-9]+)*)'/g)].map(([, word = '']) => word))
/** Template literals that can give a reason, with what stands in their places as groups. */
const TEMPLATES = [...SOURCES.matchAll(/`((?:[a-z0-9-]|\$\{[^{}]*\})*)`/g)]
  .map(([, text = '']) => text)
  .filter((text) => text.includes('${') && /[a-z]/.test(text.replace(/\$\{[^}]*\}/g, '')))
  .map((text) => new RegExp(`^${text.replace(/\$\{[^}]*\}/g, '([a-z0-9-]+)')}$`))

function isWritten(reason: string): boolean {
  if (WORDS.has(reason)) return true
  return TEMPLATES.some((template) =>
    template
      .exec(reason)
      ?.slice(1)
      .every((word) => WORDS.has(word)),
  )
}

describe('the reasons behind each code', () => {
  for (const code of Object.keys(REFUSALS) as RefusalCode[])
    it(`${code} has some, or is never given`, () => {
      assert.equal(Object.keys(REASONS[code]).length > 0, NEVER_GIVEN[code] === undefined)
    })

  it('are kebab-case words, each with its meaning and its remedy in whole sentences', () => {
    for (const { code, reason, means, remedy } of ROWS) {
      assert.match(reason, /^[a-z0-9]+(?:-[a-z0-9]+)*$/, `${code} ${reason}`)
      for (const text of [means, remedy]) {
        assert.match(text, /^[A-Z0-9`].{9,}[^.]\.$/, `${code} ${reason}: ${text}`)
        assert.equal(text.split('`').length % 2, 1, `${code} ${reason}: a backquote is missing in: ${text}`)
        assert.doesNotMatch(text, /\n| {2}|undefined/, `${code} ${reason}: ${text}`)
      }
    }
  })

  it('stand once within their code: no table of a topic hides a row of another', async () => {
    const shown = new Set(TABLES.flatMap(([, rows]) => Object.values(rows)))
    for (const file of readdirSync(join(ROOT, 'src/problem/reasons'))) {
      const tables = Object.values((await import(`../../src/problem/reasons/${file}`)) as Record<string, unknown>)
      for (const table of tables.filter((value) => typeof value === 'object'))
        for (const [reason, row] of Object.entries(table as Explanations))
          assert.ok(shown.has(row), `${file}: ${reason} is hidden`)
    }
  })

  it('are all given somewhere: no row explains what no code says', () => {
    assert.deepEqual(
      ROWS.filter(({ reason }) => !isWritten(reason)).map(({ code, reason }) => `${code} ${reason}`),
      [],
    )
    assert.equal(isWritten('header-has-sense'), false)
    assert.equal(isWritten('subject-not-there'), false)
  })

  // `credential.id` is a field of records.
  it('name only keys of the configuration that there are', () => {
    const page = readFileSync(join(ROOT, 'docs/configuration.md'), 'utf8')
    const keys = [...page.matchAll(/^\| `([\w.[\]]+)` /gm)].map(([, key = '']) => key)
    for (const { code, reason, means, remedy } of ROWS)
      for (const [, named = ''] of `${means} ${remedy}`.matchAll(/`([a-zA-Z]+(?:\[\])?\.[\w.[\]]+)`/g))
        if (named !== 'credential.id')
          assert.ok(
            keys.some((key) => key === named || key.endsWith(`.${named}`)),
            `${code} ${reason}: there is no key ${named}`,
          )
  })
})

describe('looking a reason up', () => {
  const expired: Explanation = REASONS['credential-invalid'].expired
  const gone: Explanation = UNREFUSED['client-disconnected']
  for (const [code, reason, found] of [
    ['credential-invalid', 'expired', expired],
    ['credential-missing', 'expired', null],
    ['credential-invalid', 'no-such-reason', null],
    ['no-such-code', 'expired', null],
    ['credential-invalid', 'constructor', null],
    ['constructor', 'name', null],
    ['__proto__', 'toString', null],
    ['upstream-open', 'expired', null],
    [null, 'cors-preflight', UNREFUSED['cors-preflight']],
    [null, 'client-disconnected', gone],
    ['credential-invalid', 'client-disconnected', gone],
    [null, 'expired', null],
  ] as const)
    it(`${code} ${reason}: ${found === null ? 'nothing' : 'found'}`, () => assert.equal(reasonOf(code, reason), found))

  it('a refusal made of two words that were found together is the same as one made of them apart', () => {
    const found = Refusal.for({ code: 'path-ambiguous', reason: 'backslash' })
    assert.deepEqual([found.code, found.reason, found.details], ['path-ambiguous', 'backslash', {}])
    assert.deepEqual([found.is('path-ambiguous'), found.is('internal')], [true, false])
    const cause = new Error('inner')
    assert.equal(Refusal.for({ code: 'internal', reason: 'unexpected-error' }, { cause }).cause, cause)
  })
})

describe('the page of reasons', () => {
  const page = readFileSync(join(ROOT, REASONS_FILE), 'utf8')

  it('is what the committed file says', () => {
    assert.equal(page, reasonsPage(), 'run node scripts/reasons.ts')
    execFileSync(process.execPath, [join(ROOT, 'scripts/reasons.ts'), '--verify'])
  })

  it('has one row of three cells for every reason, under its code', () => {
    const rows = page.split('\n## ').flatMap((section) => {
      const [, code = 'without a refusal'] = /^`([a-z-]+)`/.exec(section) ?? []
      const lines = section.split('\n').filter((line) => line.startsWith('| `'))
      for (const line of lines) assert.equal(line.split(/(?<!\\)\|/).length, 5, line)
      return lines.map((line) => `${code} ${line.split('`')[1]}`)
    })
    assert.deepEqual(
      rows,
      ROWS.map(({ code, reason }) => `${code} ${reason}`),
    )
  })

  for (const [text, written] of [
    ['plain.', 'plain.'],
    ['a | b', 'a \\| b'],
    ['`a | b`', '`a \\| b`'],
    ['*a* _b_ <c> [d]', '\\*a\\* \\_b\\_ \\<c\\> \\[d\\]'],
    ['`*a* _b_ <c> [d]`', '`*a* _b_ <c> [d]`'],
    ['a \\ b', 'a \\\\ b'],
    ['`\\` and `|`', '`\\` and `\\|`'],
  ] as const)
    it(`writes ${text} as ${written}`, () => assert.equal(cell(text), written))
})
