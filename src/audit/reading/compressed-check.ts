import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { Segment } from '../format/segments.ts'
import type { EventCheck } from './event-check.ts'
import { type Findings, inFile } from './findings.ts'
import { regularFile } from './regular-file.ts'
import { bytesOf, fileDigest } from './segment-lines.ts'

interface Parts {
  readonly directory: string
  readonly findings: Findings
  readonly events: EventCheck
}

/** That a compressed segment has the very bytes that the log says: a gzip header can be changed without changing what is in it. */
export async function checkCompressed(segment: Segment, { directory, findings, events }: Parts): Promise<null> {
  const said = events.compressed.get(segment.name)
  const place = inFile(segment.file)
  if (said === undefined) {
    findings.add(
      'compressed-unnamed',
      place,
      'the file is compressed, and no line of the log says so: its size and digest cannot be compared',
    )
    return null
  }
  const is = await fileDigest(join(directory, segment.file))
  if (is.bytes === said.bytes && is.digest === said.digest) return null
  const message = `the compressed file was altered: ${is.bytes} bytes with SHA-256 ${is.digest.slice(0, 16)}\u2026, and a line of the log names ${said.bytes} with ${said.digest?.slice(0, 16)}\u2026`
  findings.add('compressed-altered', place, message)
  return null
}

/** A segment that is there both ways: harmless when a compression was cut short after its line was written. Gives a note, or null after a finding. */
export async function checkDouble(file: string, { directory, findings, events }: Parts): Promise<string | null> {
  const name = file.replace(/\.gz$/, '')
  const said = events.compressed.get(name)
  try {
    if (!regularFile(join(directory, file))) throw new Error('no file')
    const is = await fileDigest(join(directory, file))
    const named = said !== undefined && is.bytes === said.bytes && is.digest === said.digest
    // The plain file may have gone since the directory was read: then the compression has just ended.
    if (named && regularFile(join(directory, name)) === null) return null
    if (named && (await contentDigest(join(directory, file))) === (await contentDigest(join(directory, name))))
      return `${name} is there a second time, as ${file}, with the same content; one of the two can be deleted`
  } catch {}
  findings.add(
    'file-double',
    inFile(file),
    `${name} is there a second time, as ${file}, which is not what the log says was written by a compression`,
  )
  return null
}

async function contentDigest(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const chunk of bytesOf(path)) digest.update(chunk as Buffer)
  return digest.digest('hex')
}
