import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/**
 * Keeps a thread's memory outside of V8's heap small. V8 lets 64 MB of dead buffers pile up for each thread before it collects, which
 * would be most of what the whole engine may use; collecting a worker's small heap takes about 3 ms.
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

  /** So many bytes of buffers have become garbage. */
  used(bytes: number): void {
    this.#garbage += bytes
    if (this.#garbage < this.#limit) return
    this.#garbage = 0
    this.#collect()
  }
}

/** Heap and buffers of the main thread above which garbage is collected now; V8 alone would wait until some 200 MB. */
const heapLimit = 44 * 1024 * 1024
const checkMs = 50

/** Keeps the main thread's heap small while much passes through it: what is alive of it is about 30 MB, whatever the size of the source. */
export class HeapKeeper implements Disposable {
  readonly #timer: NodeJS.Timeout
  readonly #collect: () => void
  #limit = heapLimit

  constructor() {
    setFlagsFromString('--semi-space-growth-factor=1')
    this.#collect = collector()
    this.#timer = setInterval(() => { this.relieve() }, checkMs)
    this.#timer.unref()
  }

  /** Collects when too much has come together. To be called on the way through long stretches in which no timer fires. */
  relieve(): void {
    if (inUse() < this.#limit) return
    this.#collect()
    // What is alive may come to more; collecting all the time would not make it less.
    this.#limit = Math.max(heapLimit, inUse() * 1.5)
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
  }
}

/** glibc's names for what mallopt sets (malloc.h). */
const malloptParameters = { trimThreshold: -1, mmapThreshold: -3, arenaMax: -8 } as const
const mebibyte = 1024 * 1024

/**
 * Lets the C library give freed memory back at once, where threads that work with large buffers make it keep some 30 MB: to be called before
 * they start. Costs 10 ms; does nothing where the C library is not glibc, or the environment has told it already. Never rejects.
 */
export async function keepNativeMemorySmall(): Promise<void> {
  if (process.platform !== 'linux' || process.env['MALLOC_ARENA_MAX'] !== undefined) return
  try {
    const { default: koffi } = await import('koffi')
    const mallopt: (parameter: number, value: number) => unknown = koffi.load(null).func('int mallopt(int parameter, int value)')
    mallopt(malloptParameters.arenaMax, 2)
    mallopt(malloptParameters.trimThreshold, mebibyte / 8)
    mallopt(malloptParameters.mmapThreshold, mebibyte)
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
