const LONGEST_REASON = 123

/** A server's close frame (RFC 6455 section 5.5.1): final, unmasked. `reason` is cut to what a control frame can hold. */
export function closeFrame(code: number, reason: string): Buffer {
  let text = Buffer.from(reason, 'utf8')
  if (text.length > LONGEST_REASON)
    text = Buffer.from(
      text
        .subarray(0, LONGEST_REASON)
        .toString('utf8')
        .replace(/\ufffd.*$/s, ''),
      'utf8',
    )
  const frame = Buffer.alloc(4 + text.length)
  frame[0] = 0x88
  frame[1] = 2 + text.length
  frame.writeUInt16BE(code, 2)
  text.copy(frame, 4)
  return frame
}

/**
 * Follows a stream of frames just far enough to know where one ends (RFC 6455 section 5.2): a frame of our own may stand between two, never inside one.
 * Checks nothing else; what the frames say is between the two ends.
 */
export class FrameBoundary {
  readonly #head = Buffer.alloc(10)
  #headLength = 0
  #payloadLeft = 0

  /** Whether what was seen so far ends with a whole frame. */
  get between(): boolean {
    return this.#headLength === 0 && this.#payloadLeft === 0
  }

  see(chunk: Buffer): void {
    let at = 0
    while (at < chunk.length) {
      if (this.#payloadLeft > 0) {
        const step = Math.min(this.#payloadLeft, chunk.length - at)
        this.#payloadLeft -= step
        at += step
        continue
      }
      this.#head[this.#headLength] = chunk[at] as number
      this.#headLength += 1
      at += 1
      if (this.#headLength >= 2 && this.#headLength === headSize(this.#head)) {
        this.#payloadLeft = payloadSize(this.#head)
        this.#headLength = 0
      }
    }
  }
}

function lengthCode(head: Buffer): number {
  return (head[1] as number) & 0x7f
}

function headSize(head: Buffer): number {
  const code = lengthCode(head)
  return code === 127 ? 10 : code === 126 ? 4 : 2
}

/** A masked frame has four bytes more; a server must not mask, but its bytes are counted either way. */
function payloadSize(head: Buffer): number {
  const code = lengthCode(head)
  const length = code === 127 ? Number(head.readBigUInt64BE(2)) : code === 126 ? head.readUInt16BE(2) : code
  return ((head[1] as number) & 0x80) === 0 ? length : length + 4
}
