import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import { linkOf } from '../format/chain.ts'
import { listSegments } from '../format/segments.ts'
import { readLines } from '../reading/segment-lines.ts'
import { syncDirectory } from './audit-file.ts'

/** Milliseconds between two looks for segments whose time has come. */
const LOOK = 60_000

export interface CompressionOptions {
  readonly directory: string
  /** Milliseconds since the end of a segment. */
  readonly after: number
  /** The segment being written. */
  readonly current: () => string | null
  /** Writes down what a compressed segment is; resolves when that is on disk. */
  readonly record: (file: string, bytes: number, digest: string) => Promise<void>
  readonly trouble: (error: Error) => void
}

/**
 * Compresses segments some time after their end. The record comes first, then the new name, then the old file goes: whenever the process dies, each line is in one file
 * at least, and a `.gz` that no record speaks of never appears.
 */
export class Compression {
  readonly #options: CompressionOptions
  readonly #stop = new AbortController()
  readonly #timer: NodeJS.Timeout
  #running: Promise<void>

  constructor(options: CompressionOptions) {
    this.#options = options
    this.#running = this.#look()
    this.#timer = setInterval(
      () => {
        this.#running = this.#running.then(() => this.#look())
      },
      Math.max(100, Math.min(LOOK, options.after)),
    ).unref()
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#stop.abort()
    await this.#running
  }

  async #look(): Promise<void> {
    const { directory, current, trouble } = this.#options
    const { segments, doubles } = await listSegments(directory).catch(() => ({ segments: [], doubles: [] as string[] }))
    for (const { name, compressed } of segments) {
      if (this.#stop.signal.aborted) return
      if (compressed || name === current()) continue
      try {
        if (await this.#isDue(join(directory, name))) await this.#compress(name, doubles.includes(`${name}.gz`))
      } catch (error) {
        if (!this.#stop.signal.aborted)
          trouble(new Error(`The segment ${name} of the audit log could not be compressed.`, { cause: error }))
      }
    }
  }

  /** A clock that was set back makes a segment wait, not for longer than the pause though. */
  async #isDue(path: string): Promise<boolean> {
    const { mtimeMs } = await stat(path)
    return Math.abs(Date.now() - mtimeMs) >= this.#options.after && (await isWhole(path))
  }

  /** `again`: the process died between the new name and the old file's end. */
  async #compress(name: string, again: boolean): Promise<void> {
    const { directory, record } = this.#options
    const from = join(directory, name)
    const partial = join(directory, `${name}.gz.partial`)
    const { signal } = this.#stop
    try {
      const sum = createHash('sha256')
      let bytes = 0
      const counted = new Transform({
        transform(chunk: Buffer, _encoding, done) {
          sum.update(chunk)
          bytes += chunk.length
          done(null, chunk)
        },
      })
      await pipeline(createReadStream(from), createGzip(), counted, createWriteStream(partial, { mode: 0o600 }), { signal })
      await forced(partial)
      if (again) await rm(join(directory, `${name}.gz`))
      // An abort in the meantime would not be heard below, and the record may wait for as long as the disk is full.
      signal.throwIfAborted()
      await Promise.race([record(`${name}.gz`, bytes, sum.digest('hex')), once(signal, 'abort')])
      signal.throwIfAborted()
      await rename(partial, join(directory, `${name}.gz`))
      await syncDirectory(directory)
      await rm(from)
    } catch (error) {
      await rm(partial, { force: true })
      throw error
    }
  }
}

/** One that holds a torn end stays as it is: evidence. */
async function isWhole(path: string): Promise<boolean> {
  let lines = 0
  for await (const { line, whole } of readLines(path)) {
    if (!whole || linkOf(line) === null) return false
    lines += 1
  }
  return lines > 0
}

async function forced(path: string): Promise<void> {
  const handle = await open(path, 'r+')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
