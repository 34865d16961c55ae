import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Smaller buffers may share Node's pool with others, and are left to the collector. */
const freeFrom = 128 * 1024

/**
 * Gives a large buffer's memory back now. V8 would do it at a full collection, which only an ever growing heap of dead buffers brings about.
 * Nothing may use the buffer, or another view of its memory, any more; small and shared buffers are left alone. Repeating is safe.
 */
export function freeBuffer({ buffer }: Uint8Array): void {
  if (isFreeable(buffer)) buffer.transfer(0)
}

function isFreeable(buffer: ArrayBufferLike): buffer is ArrayBuffer {
  return buffer instanceof ArrayBuffer && buffer.byteLength >= freeFrom
}

/**
 * Keeps a thread's memory outside of V8's heap small. V8 lets 64 MB of dead buffers pile up for each thread before it collects, which
 * would be most of what the whole engine may use. Large ones are freed one by one; for the small ones the heap is collected now and then
 * (about 3 ms).
 */
export class NativeMemory {
  readonly #collect: () => void
  readonly #limit: number
  #garbage = 0

  /** @param limitBytes garbage outside V8's heap that this thread may hold: buffers of zstd and AES live until a full collection. */
  constructor(limitBytes: number) {
    this.#limit = limitBytes
    this.#collect = collector()
  }

  /** As freeBuffer; a small one counts as garbage. */
  free(bytes: Uint8Array): void {
    this.used(bytes.buffer.byteLength)
    freeBuffer(bytes)
  }

  /** A buffer of so many bytes has come and gone: freed already where it was large, else garbage now. */
  used(bytes: number): void {
    if (bytes < freeFrom) this.#garbage += bytes
    if (this.#garbage < this.#limit) return
    this.#garbage = 0
    this.#collect()
  }
}

const mebibyte = 1024 * 1024

/** Heap and buffers of the main thread above which garbage is collected now; V8 alone would wait until some 200 MB. */
const standardHeapLimit = 44 * mebibyte
const checkMs = 100

/** Keeps the main thread's heap small while much passes through it: what is alive of it is about 30 MB, whatever the size of the source. */
export class HeapKeeper implements Disposable {
  readonly #timer: NodeJS.Timeout
  readonly #collect: () => void
  readonly #leastLimit: number
  #limit: number

  /** @param limit bytes of heap and buffers: the higher, the less often is collected. */
  constructor(limit = standardHeapLimit) {
    this.#leastLimit = limit
    this.#limit = limit

    setFlagsFromString('--semi-space-growth-factor=1')
    this.#collect = collector()
    this.#timer = setInterval(() => {
      this.relieve()
      giveBackFreed()
    }, checkMs)
    this.#timer.unref()
  }

  /** Collects when too much has come together. To be called on the way through long stretches in which no timer fires. */
  relieve(): void {
    if (inUse() < this.#limit) return
    this.#collect()
    // What is alive may come to more; collecting all the time would not make it less.
    this.#limit = Math.max(this.#leastLimit, inUse() * 1.5)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

/** glibc's names for what mallopt sets (malloc.h). */
const malloptParameters = { trimThreshold: -1, mmapThreshold: -3, arenaMax: -8 } as const

/** Gives pages back that are free in the midst of the C library's heap; takes about 2 ms. Does nothing before keepNativeMemorySmall. */
let giveBackFreed = (): void => undefined

/**
 * Lets the C library give freed memory back, where threads that work with large buffers make it keep some 30 MB: at once what was large, and
 * with a HeapKeeper the rest. To be called before the threads start. Costs 10 ms; does nothing where the C library is not glibc, or the environment has told it already. Never rejects.
 */
export async function keepNativeMemorySmall(): Promise<void> {
  if (process.platform !== 'linux' || process.env['MALLOC_ARENA_MAX'] !== undefined) return
  try {
    const { default: koffi } = await import('koffi')
    const library = koffi.load(null)
    const mallopt: (parameter: number, value: number) => unknown = library.func('int mallopt(int parameter, int value)')
    mallopt(malloptParameters.arenaMax, 2)
    mallopt(malloptParameters.trimThreshold, mebibyte)
    mallopt(malloptParameters.mmapThreshold, mebibyte)
    const trim: (keptBytes: number) => unknown = library.func('int malloc_trim(size_t keptBytes)')
    giveBackFreed = () => { trim(0) }
  } catch {
    // Another C library, or no koffi for this machine: only more memory is used.
  }
}

/** V8's full collection; does nothing where V8 does not give it away. */
function collector(): () => void {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('typeof gc === "function" ? gc : undefined')
  return typeof collect === 'function' ? () => { Reflect.apply(collect, undefined, []) } : () => undefined
}

function inUse(): number {
  const { used_heap_size: heap, external_memory: buffers } = getHeapStatistics()
  return heap + buffers
}
