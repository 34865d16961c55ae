import { parentPort, workerData } from 'node:worker_threads'
import { assertNever, HoldfastError, toWireError } from '../base/errors.ts'
import { Cutter } from './cutter.ts'
import { NativeMemory } from '../base/memory.ts'
import { Rekeyer } from './rekeyer.ts'
import { Sealer } from './sealer.ts'
import { Verifier } from './verifier.ts'
import type { ThreadSetup, WorkerJob, WorkerReply, WorkerResult } from './worker-messages.ts'

/** Entry of a worker thread: does one job at a time, in order, and answers each. */
const setup = workerData as ThreadSetup
const cutter = new Cutter(setup)
const native = new NativeMemory(setup.garbageBytes)
const sealer = new Sealer(setup, native)
const verifier = new Verifier(setup.keys, native)
const rekeyer = setup.source && new Rekeyer(setup, setup.source, native)

parentPort?.on('message', (job: WorkerJob) => {
  if (Atomics.load(setup.ended, 0) === 1) parentPort?.close()
  else if (job.type !== 'end') parentPort?.postMessage(answer(job))
})

function answer(job: Exclude<WorkerJob, { type: 'end' }>): WorkerReply {
  try {
    return { ok: true, result: work(job) }
  } catch (error) {
    return { ok: false, error: toWireError(error) }
  }
}

function work(job: Exclude<WorkerJob, { type: 'end' }>): WorkerResult {
  switch (job.type) {
    case 'files':
      return cutter.files(job)
    case 'window':
      return cutter.window(job)
    case 'seal':
      return { type: 'sealed', packs: sealer.data(job.blobs, job.packBytes) }
    case 'seal-trees':
      return { type: 'sealed', packs: sealer.trees(job, job.packBytes) }
    case 'finish':
      return { type: 'sealed', packs: sealer.finish() }
    case 'verify':
      verifier.verify(job.pack, job.segments, job.bytes)
      return { type: 'verified' }
    case 'merge':
      return { type: 'sealed', packs: sealer.merge(job.packs, job.kind) }
    case 'rekey':
      if (!rekeyer) throw new HoldfastError('internal', 'These threads know no source.')
      return rekeyer.rekey(job)
    default:
      return assertNever(job)
  }
}
