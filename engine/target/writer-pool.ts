import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { HoldfastError } from '../base/errors.ts'
import type { WriterAnswer, WriterSetup, WriterTask } from './messages.ts'

/** Heap for what lives shortly in a thread: its tasks. V8 would take 48 MB; what matters here is outside of the heap. */
const youngMb = 6

interface Writer {
  readonly worker: Worker
  /** Settles when the thread is gone; never rejects. */
  readonly exited: Promise<void>
  /** Answers come in the order of the tasks. */
  readonly waiting: { readonly resolve: (answer: WriterAnswer) => void; readonly reject: (error: unknown) => void }[]
}

/**
 * The threads that write a restore's files. Dispose it to end them; half-written files stay for the next run. They end by themselves,
 * after what they were given: a thread that is terminated inside of a foreign call takes the whole process with it.
 */
export class WriterPool implements AsyncDisposable {
  readonly #writers: Writer[]
  #failure: HoldfastError | undefined

  constructor(setup: WriterSetup, threads: number) {
    this.#writers = Array.from({ length: threads }, () => this.#start(setup))
  }

  /** Gives a task to the least busy thread. Rejects only when the thread itself dies (a defect). `bytes` of the task are moved away. */
  run(task: Exclude<WriterTask, { type: 'end' }>): Promise<WriterAnswer> {
    if (this.#failure) return Promise.reject(this.#failure)
    const writer = this.#writers.reduce((least, each) => (each.waiting.length < least.waiting.length ? each : least))
    return new Promise((resolve, reject) => {
      writer.waiting.push({ resolve, reject })
      writer.worker.postMessage(task, task.type === 'segments' ? transferable(task.bytes) : [])
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const end: WriterTask = { type: 'end' }
    for (const { worker } of this.#writers) worker.postMessage(end)
    await Promise.all(this.#writers.map(({ exited }) => exited))
  }

  #start(setup: WriterSetup): Writer {
    // Descriptors come from the system's own calls here, of which Node knows nothing.
    const worker = new Worker(new URL(`./writer-worker${extname(import.meta.url)}`, import.meta.url), { workerData: setup, env: {}, trackUnmanagedFds: false, resourceLimits: { maxYoungGenerationSizeMb: youngMb } })
    const exited = new Promise<void>((resolve) => { worker.once('exit', () => { resolve() }) })
    const writer: Writer = { worker, exited, waiting: [] }
    worker.on('message', (answer: WriterAnswer) => { writer.waiting.shift()?.resolve(answer) })
    worker.on('error', (error) => { this.#fail(writer, error) })
    worker.on('exit', () => { this.#fail(writer, undefined) })
    return writer
  }

  #fail(writer: Writer, cause: unknown): void {
    this.#failure ??= new HoldfastError('internal', 'A writing thread ended unexpectedly.', { cause })
    for (const { reject } of writer.waiting.splice(0)) reject(this.#failure)
  }
}

/** Memory of its own moves to the thread; a view of something larger is copied. */
function transferable(bytes: Uint8Array): ArrayBuffer[] {
  const { buffer } = bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === bytes.byteLength ? [buffer] : []
}
