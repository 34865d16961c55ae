import type { FileHandle } from 'node:fs/promises'

export interface FoundLine {
  /** Offset of its first byte, and behind its line break. */
  readonly at: number
  readonly end: number
  /** Empty for a line that is longer than any of ours. */
  readonly text: string
}

const chunkBytes = 64 << 10
/** Longer ones are passed over. */
export const mostLineBytes = 512 << 10
const lineBreak = 10

/** The whole lines of a file that end at `end` or before, the newest first. What stands behind the last line break is none yet. Holds one line and one chunk. */
export async function* linesBackwards(file: Pick<FileHandle, 'read'>, end: number): AsyncGenerator<FoundLine> {
  const buffer = Buffer.allocUnsafe(chunkBytes)
  const tail = new Tail()
  for (let from = end; from > 0;) {
    const length = Math.min(chunkBytes, from)
    from -= length
    const { bytesRead } = await file.read(buffer, 0, length, from)
    // The file has been cut off.
    if (bytesRead < length) return
    let right = length
    for (let at = buffer.lastIndexOf(lineBreak, length - 1); at >= 0 && right > 0; at = at === 0 ? -1 : buffer.lastIndexOf(lineBreak, at - 1)) {
      const found = tail.take(buffer.subarray(at + 1, right), from + at + 1)
      if (found) yield found
      tail.begin(from + at + 1)
      right = at
    }
    tail.add(buffer.subarray(0, right))
  }
  const first = tail.take(Buffer.alloc(0), 0)
  if (first) yield first
}

/** The right part of the line whose left part is yet to be read. */
class Tail {
  #end: number | undefined
  #parts: Buffer[] = []
  #bytes = 0

  /** A line ends here. */
  begin(end: number): void {
    this.#end = end
    this.#parts = []
    this.#bytes = 0
  }

  add(part: Buffer): void {
    if (this.#end === undefined) return
    this.#bytes += part.length
    if (this.#bytes > mostLineBytes) this.#parts = []
    else this.#parts.unshift(Buffer.from(part))
  }

  /** The line, of which `head` is the beginning. Undefined before any line has ended. */
  take(head: Buffer, at: number): FoundLine | undefined {
    if (this.#end === undefined) return undefined
    const text = this.#bytes + head.length > mostLineBytes ? '' : Buffer.concat([head, ...this.#parts]).toString('utf8')
    return { at, end: this.#end, text }
  }
}
