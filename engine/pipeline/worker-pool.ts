import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { asHoldfastError, HoldfastError } from '../base/errors.ts'
import type { ThreadSetup, WorkerJob, WorkerReply, WorkerResult, WorkerSetup } from './worker-messages.ts'

/** Each takes up to 25 MB and compresses some 250 MB/s: more of them would break the bound of 250 MB to outrun the disk. */
const mostWorkers = 3

/** Threads for compression and hashing on this machine: at least two, so that one can read while the other compresses. */
export function workerCount(): number {
  return Math.min(mostWorkers, Math.max(2, availableParallelism()))
}

/** Dead buffers of all threads together, and of each at least: a collection takes about 3 ms, so more of them would cost too much time. */
const garbageBytes = 24 * 1024 * 1024
const leastGarbageBytes = 6 * 1024 * 1024

/** Heap for what lives shortly in a thread. V8 would take 48 MB for each; what matters here is outside of the heap. */
const youngMb = 6

/** Jobs a thread has at a time: one more than it works on, so that it need not wait for a busy main thread. */
const jobsAhead = 2

interface Task {
  readonly job: WorkerJob
  readonly resolve: (result: WorkerResult) => void
  readonly reject: (error: unknown) => void
}

interface Thread {
  readonly worker: Worker
  /** Settles when the thread is gone; never rejects. */
  readonly exited: Promise<void>
  /** Jobs that the thread has, oldest first: it answers in order. */
  readonly given: Task[]
  /** Jobs only for this thread. */
  readonly own: Task[]
}

/**
 * A fixed number of worker threads, started at the first job: a run that finds nothing to store never pays for them. Any thread takes any
 * job; sealing goes before reading, because it gives slabs back. Jobs hold no file data, so the queue is small; its length is
 * bounded by the stages that wait for their jobs. The threads end by themselves, after the job that they are at: one that is terminated
 * inside of a foreign call takes the whole process with it.
 */
export class WorkerPool implements AsyncDisposable {
  readonly #setup: ThreadSetup
  readonly #count: number
  readonly #threads: Thread[] = []
  readonly #sealing: Task[] = []
  readonly #reading: Task[] = []
  #failure: Error | undefined

  constructor(setup: Omit<WorkerSetup, 'garbageBytes'>, count = workerCount()) {
    this.#setup = { ...setup, ended: new Int32Array(new SharedArrayBuffer(4)), garbageBytes: Math.max(leastGarbageBytes, garbageBytes / count) }
    this.#count = count
  }

  /** Starts the threads now, so that the first job finds them ready. */
  start(): void {
    while (this.#threads.length < this.#count) this.#threads.push(this.#startThread())
  }

  /** Runs one job on whichever thread is free first. */
  run(job: WorkerJob): Promise<WorkerResult> {
    this.start()
    return new Promise((resolve, reject) => {
      if (this.#failure) {
        reject(this.#failure)
        return
      }
      const task = { job, resolve, reject }
      if (job.type === 'files' || job.type === 'window' || job.type === 'rekey') this.#reading.push(task)
      else this.#sealing.push(task)
      this.#dispatch()
    })
  }

  /** Runs one job on every thread that was started; each does what it was given before first. */
  async runOnEach(job: WorkerJob): Promise<WorkerResult[]> {
    return Promise.all(this.#threads.map((thread) => new Promise<WorkerResult>((resolve, reject) => {
      thread.own.push({ job, resolve, reject })
      this.#dispatch()
    })))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail(new HoldfastError('aborted', 'The worker threads were stopped.'))
    Atomics.store(this.#setup.ended, 0, 1)
    const end: WorkerJob = { type: 'end' }
    for (const { worker } of this.#threads) worker.postMessage(end)
    await Promise.all(this.#threads.map(({ exited }) => exited))
  }

  #startThread(): Thread {
    // Beside this file both in the clone (.ts) and in the build (.js).
    const entry = new URL(`./backup-worker${extname(import.meta.url)}`, import.meta.url)
    const worker = new Worker(entry, { workerData: this.#setup, resourceLimits: { maxOldGenerationSizeMb: 128, maxYoungGenerationSizeMb: youngMb } })
    const exited = new Promise<void>((resolve) => { worker.once('exit', () => { resolve() }) })
    const thread: Thread = { worker, exited, given: [], own: [] }
    worker.on('message', (reply: WorkerReply) => { this.#done(thread, reply) })
    worker.on('error', (error) => { this.#fail(asHoldfastError(error)) })
    return thread
  }

  #dispatch(): void {
    for (let depth = 1; depth <= jobsAhead; depth++) {
      for (const thread of this.#threads) {
        while (thread.given.length < depth) {
          const task = thread.own.shift() ?? this.#sealing.shift() ?? this.#reading.shift()
          if (!task) break
          thread.given.push(task)
          thread.worker.postMessage(task.job, transferred(task.job))
        }
      }
    }
  }

  #done(thread: Thread, reply: WorkerReply): void {
    const task = thread.given.shift()
    this.#dispatch()
    if (reply.ok) task?.resolve(reply.result)
    else task?.reject(new HoldfastError(reply.error.code, reply.error.message, { data: reply.error.data ?? {} }))
  }

  #fail(error: Error): void {
    this.#failure ??= error
    const waiting = [...this.#sealing.splice(0), ...this.#reading.splice(0)]
    for (const thread of this.#threads) waiting.push(...thread.given.splice(0), ...thread.own.splice(0))
    for (const task of waiting) task.reject(error)
  }
}

/** Bytes that only this job needs move to the thread instead of being copied. */
function transferred(job: WorkerJob): ArrayBuffer[] {
  if (job.type !== 'verify' && job.type !== 'seal-trees' && job.type !== 'rekey') return []
  const { buffer, byteLength } = job.bytes
  return buffer instanceof ArrayBuffer && buffer.byteLength === byteLength ? [buffer] : []
}
