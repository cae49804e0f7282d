/** How many bytes decide whether a stream of events stands between two: two line ends (HTML standard, section 9.2.5: CRLF, LF or CR each). */
const TAIL = 4

/** Follows a stream of server-sent events just far enough to know whether an event has begun that is not complete. */
export class EventBoundary {
  #tail = ''

  see(chunk: Buffer): void {
    this.#tail = (this.#tail + chunk.toString('latin1', Math.max(0, chunk.length - TAIL))).slice(-TAIL)
  }

  /** Whether what was seen so far ends with a blank line, or is nothing. */
  get between(): boolean {
    return this.#tail === '' || this.#tail.replace(/\r\n?/g, '\n').endsWith('\n\n')
  }
}

/**
 * The last event of a stream that the gateway ends. What was left incomplete before it gets a name of its own, so that no listener of the page takes half
 * an event for a whole one.
 */
export function lastEvent(boundary: EventBoundary, code: string, requestId: string): string {
  const before = boundary.between ? '' : '\nevent: planegate-incomplete\n\n'
  return `${before}event: planegate-closed\ndata: ${JSON.stringify({ code, requestId })}\n\n`
}
