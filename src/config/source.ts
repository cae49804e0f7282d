import { hash } from 'node:crypto'
import { dirname, isAbsolute, relative, resolve, sep } from 'node:path'
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, visit } from 'yaml'
import type { Finding } from './finding.ts'
import { readRegularFile, UnreadableFile } from './regular-file.ts'

/** Keys and list positions from the top of a document. */
export type Path = readonly PropertyKey[]

/** One configuration file: its content, and where in it everything stands. */
export interface Source {
  readonly file: string
  /** As messages name it. */
  readonly display: string
  /** SHA-256 (hex) of the bytes that were read; empty when none were. */
  readonly digest: string
  /** undefined: unreadable, empty or not YAML; the mistakes say why. */
  readonly value: unknown
  readonly mistakes: readonly Finding[]
  /** A finding at `path`, or at the nearest place above it that exists. */
  finding(path: Path, message: string, at?: 'key' | 'value'): Finding
  place(path: Path, at?: 'key' | 'value'): { readonly line: number; readonly column: number }
  /** A path written in this file, made absolute. */
  absolute(path: string): string
}

/** Aliases may be written out this often; a bomb of nested aliases is refused instead of filling memory. */
const MAX_ALIASES = 100

/** Bytes of a file: a table of a hundred thousand routes has no more. */
const LONGEST_FILE = 64 * 1024 * 1024

/** Reads one YAML file. Never throws: what is wrong is among the mistakes. */
export function readSource(file: string): Source {
  const path = resolve(file)
  const display = displayName(path)
  try {
    const bytes = readRegularFile(path, LONGEST_FILE)
    return parseSource({ file: path, display, digest: hash('sha256', bytes) }, bytes.toString('utf8'))
  } catch (error) {
    const finding: Finding = { file: display, line: 1, column: 1, path: '(document)', message: unreadable(error) }
    return sourceOf({ file: path, display, digest: '' }, null, undefined, [finding])
  }
}

/** The name of a file in messages: relative to the current directory when below it. */
export function displayName(path: string): string {
  const near = relative(process.cwd(), path)
  return near === '' || near === '..' || near.startsWith(`..${sep}`) || isAbsolute(near) ? path : near
}

/** `routes[3].upstream` */
export function formatPath(path: Path): string {
  let written = ''
  for (const step of path) written += typeof step === 'number' ? `[${step}]` : `${written === '' ? '' : '.'}${String(step)}`
  return written === '' ? '(document)' : written
}

function unreadable(error: unknown): string {
  if (error instanceof UnreadableFile) return error.message
  const code = (error as { code?: unknown } | null)?.code
  if (code === 'ENOENT') return 'there is no such file'
  if (code === 'EACCES') return 'the file may not be read by this user'
  if (error instanceof RangeError) return 'is nested too deeply'
  return `cannot be read${typeof code === 'string' ? ` (${code})` : ''}`
}

function parseSource(read: ReadFile, written: string): Source {
  const { display } = read
  const counter = new LineCounter()
  const document = parseDocument(written, { lineCounter: counter, prettyErrors: false, logLevel: 'error' })
  const mistakes: Finding[] = []
  const add = (offset: number, message: string) => {
    const { line, col } = counter.linePos(offset)
    mistakes.push({ file: display, line: Math.max(1, line), column: Math.max(1, col), path: pathAt(document, offset), message })
  }
  for (const error of [...document.errors, ...document.warnings]) add(error.pos[0], syntaxMessage(error.code, error.message))
  visit(document, {
    Pair(_, pair) {
      const problem = keyProblem(pair.key)
      if (problem !== null) add(startOf(pair.key ?? pair.value), problem)
    },
  })
  let value: unknown
  const readable = document.errors.every((error) => error.code === 'DUPLICATE_KEY')
  if (readable && document.contents === null) add(0, 'the file is empty')
  else if (readable) {
    try {
      value = document.toJS({ maxAliasCount: MAX_ALIASES })
    } catch {
      add(0, `its aliases cannot be written out: they lead nowhere, or to more than ${MAX_ALIASES} copies; write the values out`)
    }
  }
  return sourceOf(read, { document, counter }, value, mistakes)
}

/**
 * Why a node cannot be the key of a map, or null. An alias stands for a name that the parser did not compare with the others, and a number
 * or a list becomes text only afterwards: each could write a key a second time without being seen.
 */
function keyProblem(key: unknown): string | null {
  if (!isScalar(key) || typeof key.value !== 'string')
    return 'a key is written out as text; put it in quotes where it looks like a number'
  return key.value === '__proto__' ? 'is not a name that can be used' : null
}

function syntaxMessage(code: string, message: string): string {
  if (code === 'DUPLICATE_KEY') return 'the key is written twice; remove one of the two'
  return `is not valid YAML: ${message}`
}

/** The innermost key whose pair holds the offset. */
function pathAt(document: Document, offset: number): string {
  const path: PropertyKey[] = []
  let node: unknown = document.contents
  for (;;) {
    if (isMap(node)) {
      const pair = node.items.find(
        (item) => startOf(item.key) <= offset && offset <= Math.max(endOf(item.key), endOf(item.value)),
      )
      if (pair === undefined || !isScalar(pair.key)) break
      path.push(String(pair.key.value))
      node = offset <= endOf(pair.key) ? null : pair.value
    } else if (isSeq(node)) {
      const index = node.items.findIndex((item) => startOf(item) <= offset && offset <= endOf(item))
      if (index === -1) break
      path.push(index)
      node = node.items[index]
    } else break
  }
  return formatPath(path)
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? Number.POSITIVE_INFINITY
}

function endOf(node: unknown): number {
  return (node as Node | null)?.range?.[1] ?? -1
}

type Parsed = { readonly document: Document; readonly counter: LineCounter }

/** Which file, and what was in it. */
type ReadFile = Pick<Source, 'file' | 'display' | 'digest'>

function sourceOf(read: ReadFile, parsed: Parsed | null, value: unknown, mistakes: Finding[]): Source {
  const place: Source['place'] = (path, at = 'value') => {
    if (parsed === null) return { line: 1, column: 1 }
    const { line, col } = parsed.counter.linePos(offsetOf(parsed.document, path, at))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }
  const { file, display } = read
  return {
    ...read,
    value,
    mistakes,
    place,
    finding: (path, message, at) => ({ file: display, ...place(path, at), path: formatPath(path), message }),
    absolute: (path) => resolve(dirname(file), path),
  }
}

function offsetOf(document: Document, path: Path, at: 'key' | 'value'): number {
  let node: unknown = document.contents
  let key: unknown = null
  for (const step of path) {
    if (isAlias(node)) node = node.resolve(document)
    if (isMap(node)) {
      const pair = node.items.find((item) => isScalar(item.key) && String(item.key.value) === String(step))
      // A key that is missing is reported at the key of the map that lacks it, or where that list entry starts.
      if (pair === undefined) return knownOffset(key ?? node)
      key = pair.key
      node = pair.value
    } else if (isSeq(node) && typeof step === 'number' && node.items[step] !== undefined) {
      key = null
      node = node.items[step]
    } else break
  }
  return knownOffset(at === 'key' || node === null ? (key ?? node) : node)
}

function knownOffset(node: unknown): number {
  const start = startOf(node)
  return Number.isFinite(start) ? start : 0
}
