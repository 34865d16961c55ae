import { getHeapStatistics, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Garbage outside V8's heap that one thread may hold: buffers of zstd and AES live until a full collection. */
const garbageLimit = 12 * 1024 * 1024

/**
 * Keeps a thread's memory outside of V8's heap small. V8 lets 64 MB of dead buffers pile up for each thread before it collects, which
 * would be most of what the whole engine may use; collecting a worker's small heap takes about 3 ms.
 */
export class NativeMemory {
  readonly #collect: () => void
  #garbage = 0

  constructor() {
    this.#collect = collector()
  }

  /** So many bytes of buffers have become garbage. */
  used(bytes: number): void {
    this.#garbage += bytes
    if (this.#garbage < garbageLimit) return
    this.#garbage = 0
    this.#collect()
  }
}

/** Heap and buffers of the main thread above which garbage is collected now; V8 alone would wait until some 200 MB. */
const heapLimit = 44 * 1024 * 1024
const checkMs = 50

/** Keeps the main thread's heap small while a backup runs: what is alive of it is about 30 MB, whatever the size of the source. */
export class HeapKeeper implements Disposable {
  readonly #timer: NodeJS.Timeout
  #limit = heapLimit

  constructor() {
    setFlagsFromString('--semi-space-growth-factor=1')
    const collect = collector()
    this.#timer = setInterval(() => {
      if (inUse() < this.#limit) return
      collect()
      // What is alive may come to more; collecting all the time would not make it less.
      this.#limit = Math.max(heapLimit, inUse() * 1.5)
    }, checkMs)
    this.#timer.unref()
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer)
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
