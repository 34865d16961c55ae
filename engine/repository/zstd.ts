import { constants, createZstdCompress, createZstdDecompress, zstdCompressSync, zstdDecompressSync } from 'node:zlib'
import { HoldfastError } from '../base/errors.ts'

/** Frames may ask for a window of no more than the largest blob, 16 MiB: what a forged one can take. */
const windowLog = 24

const boundedWindow = { [constants.ZSTD_d_windowLogMax]: windowLog }

/** One zstd frame, in a buffer of its own. */
export function compress(plain: Uint8Array, level: number): Uint8Array {
  // An output buffer that surely suffices lets zstd work in one go, half again as fast as Node's 16 KiB steps.
  return zstdCompressSync(plain, { chunkSize: frameBound(plain.length), params: { [constants.ZSTD_c_compressionLevel]: level } })
}

/** A zstd frame that must give exactly `length` bytes; never takes memory for more. @throws damaged */
export function decompress(frame: Uint8Array, length: number, what: string): Uint8Array {
  try {
    // A buffer that is filled to its last byte would make Node take another one, to see whether there is more.
    const plain = zstdDecompressSync(frame, { maxOutputLength: Math.max(1, length), chunkSize: length + 64, params: boundedWindow })
    if (plain.length === length) return plain
  } catch (error) {
    throw damagedInside(what, error)
  }
  throw damagedInside(what)
}

export function damagedInside(what: string, cause?: unknown): HoldfastError {
  return new HoldfastError('damaged', `${what} is damaged: its content does not unpack.`, { cause, data: { object: what } })
}

/** What a frame of `length` bytes can come to at most. */
export function frameBound(length: number): number {
  return length + (length >>> 7) + 512
}

/** Makes and opens the frames of many small blobs, each by itself. */
interface FrameCoder {
  /**
   * Writes the frame of `plain` to the beginning of `output`, which has room for `frameBound` bytes. @returns its length.
   * @param level of zstd
   */
  compress(plain: Uint8Array, level: number, output: Uint8Array): number
  /**
   * Writes what the frame holds to the beginning of `output`, which is longer.
   * @returns its length; undefined where it is damaged or does not fit.
   */
  decompress(frame: Uint8Array, output: Uint8Array): number | undefined
}

/** With Node's public functions. Each call makes a context of its own, which takes half of the time for a file of 4 KB. */
export const plainCoder: FrameCoder = {
  compress(plain, level, output) {
    const frame = compress(plain, level)
    output.set(frame)
    return frame.length
  },

  decompress(frame, output) {
    try {
      const plain = zstdDecompressSync(frame, { maxOutputLength: output.length, chunkSize: 65_536, params: boundedWindow })
      output.set(plain)
      return plain.length
    } catch {
      return undefined
    }
  },
}

/** What Node's zlib streams hold inside (lib/zlib.js): a context that can be used again as soon as a frame is complete. */
interface Handle {
  onerror: () => void
  writeSync(flush: number, input: Uint8Array, inputAt: number, inputLength: number, output: Uint8Array, outputAt: number, outputLength: number): void
}

interface Context {
  readonly handle: Handle
  /** Room that is left in the output, bytes that are left of the input. */
  readonly state: Uint32Array
  failed: boolean
}

/**
 * With one context for all frames: twice as fast for small files. The handles are not part of Node's interface, so `frameCoder` takes
 * this only where it has proved to do the same as the public functions, and what goes wrong later is done with those.
 */
class ContextCoder implements FrameCoder {
  readonly #compressors = new Map<number, Context>()
  #decompressor: Context | undefined

  compress(plain: Uint8Array, level: number, output: Uint8Array): number {
    let context = this.#compressors.get(level)
    if (!context) {
      context = contextOf(createZstdCompress({ params: { [constants.ZSTD_c_compressionLevel]: level } }))
      this.#compressors.set(level, context)
    }
    return run(context, plain, output) ?? plainCoder.compress(plain, level, output)
  }

  decompress(frame: Uint8Array, output: Uint8Array): number | undefined {
    this.#decompressor ??= contextOf(createZstdDecompress({ params: boundedWindow }))
    const length = run(this.#decompressor, frame, output)
    if (length !== undefined) return length
    // A frame that broke off has left its state behind.
    this.#decompressor = undefined
    return plainCoder.decompress(frame, output)
  }
}

function contextOf(stream: object): Context {
  const { _handle: handle, _writeState: state } = stream as { readonly _handle?: Handle; readonly _writeState?: unknown }
  const known = typeof handle?.writeSync === 'function' && state instanceof Uint32Array && state.length === 2
  if (!known) throw new TypeError('Node keeps its zlib contexts otherwise.')
  const context = { handle, state, failed: false }
  handle.onerror = () => { context.failed = true }
  return context
}

/** @returns bytes of output; undefined unless all input was taken, with room left in the output. */
function run(context: Context, input: Uint8Array, output: Uint8Array): number | undefined {
  if (context.failed) return undefined
  context.handle.writeSync(constants.ZSTD_e_end, input, 0, input.length, output, 0, output.length)
  const [roomLeft = 0, inputLeft = 1] = context.state
  return context.failed || inputLeft > 0 || roomLeft === 0 ? undefined : output.length - roomLeft
}

let coder: FrameCoder | undefined

/** The fastest coder that this engine has; one for each thread. */
export function frameCoder(): FrameCoder {
  coder ??= provesRight(new ContextCoder()) ? new ContextCoder() : plainCoder
  return coder
}

/** Frames of several lengths, some twice: an engine whose handles work in another way would give something else. */
const trials = ['', 'a', 'abcabcabcabc'.repeat(50), 'a', 'x'.repeat(70_000), 'abcabcabcabc'.repeat(50)]

export function provesRight(tried: FrameCoder): boolean {
  try {
    return trials.every((text) => {
      const plain = Buffer.from(text)
      const [frame, copy] = [Buffer.alloc(frameBound(plain.length)), Buffer.alloc(plain.length + 1)]
      const stored = frame.subarray(0, tried.compress(plain, 1, frame))
      const opens = (by: FrameCoder): boolean => by.decompress(stored, copy) === plain.length && plain.equals(copy.subarray(0, plain.length))
      return opens(plainCoder) && opens(tried) && tried.decompress(stored.subarray(0, -1), copy) === undefined
    })
  } catch {
    return false
  }
}
