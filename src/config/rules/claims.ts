import type { Path } from '../source.ts'
import { eachRoute, type Rule } from './rule.ts'

/** A claim is compared with the number that is written: one that a double cannot hold exactly would also match its neighbours. */
export const numbersExact: Rule = eachRoute((route) => {
  const { require } = route.values
  if (require === undefined || require === 'any') return null
  const path = [...route.path, 'require', 'claims']
  return inexactNumbers(require.claims ?? {}, path).map((at) =>
    route.source.finding(at, 'cannot be compared exactly: whole numbers go up to 9007199254740991; compare text instead'),
  )
})

function inexactNumbers(value: unknown, path: Path): Path[] {
  if (typeof value === 'number') return Number.isSafeInteger(value) || (value % 1 !== 0 && Number.isFinite(value)) ? [] : [path]
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.flatMap((item, index) => inexactNumbers(item, [...path, index]))
  return Object.entries(value).flatMap(([name, member]) => inexactNumbers(member, [...path, name]))
}
