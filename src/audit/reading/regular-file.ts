import { statSync } from 'node:fs'

/** Its size in bytes, at the end of symbolic links too; null: there is none, or something else that reading may never come back from. */
export function regularFile(path: string): { readonly size: number } | null {
  try {
    const found = statSync(path)
    return found.isFile() ? { size: found.size } : null
  } catch {
    return null
  }
}
