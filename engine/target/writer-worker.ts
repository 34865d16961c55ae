import { closeSync, constants, fstatSync } from 'node:fs'
import { parentPort, workerData } from 'node:worker_threads'
import { NativeMemory } from '../base/memory.ts'
import { BlobHasher } from '../repository/blob-id.ts'
import { openSegment, takeBlob } from '../repository/segment.ts'
import { compareChunks } from './compare.ts'
import { Dresser, noLosses } from './dress.ts'
import type { Loss } from './dress.ts'
import { FileWriter } from './file-writer.ts'
import { TargetFolders } from './folders.ts'
import type { FileLosses, SegmentTask, UnreadBlob, WriterAnswer, WriterFailure, WriterSetup, WriterTask } from './messages.ts'
import { fileAt } from './packed-files.ts'
import { loadSystemCalls } from './system-calls.ts'

const idLength = 32

type SegmentsTask = Extract<WriterTask, { type: 'segments' }>

/** A thread that decrypts, unpacks, checks and writes: the processor's share of a restore. Answers each task once, in order. */
// The other side of this channel is WriterPool of the same program, so that its messages need no parsing.
const setup = workerData as WriterSetup
const calls = await loadSystemCalls()
const folders = new TargetFolders({ descriptor: setup.root.descriptor, path: Buffer.from(setup.root.path) }, calls)
const files = new FileWriter(folders, calls, new Dresser(calls, setup.asRoot))
const hasher = new BlobHasher(setup.blobIdKey)

/** Of buffers too small to be freed one by one. */
const garbageBytes = 12 * 1024 * 1024
const native = new NativeMemory(garbageBytes)

parentPort?.on('message', (task: WriterTask) => {
  if (task.type === 'end') {
    end()
    return
  }
  parentPort?.postMessage(answer(task))
  if (task.type !== 'segments') return
  native.free(task.bytes)
})

/** Without its port nothing keeps the thread alive. */
function end(): void {
  files[Symbol.dispose]()
  folders[Symbol.dispose]()
  parentPort?.close()
}

function answer(task: Exclude<WriterTask, { type: 'end' }>): WriterAnswer {
  switch (task.type) {
    case 'segments':
      return writeSegments(task)
    case 'finish':
      return each(task.files, (file) => files.finish(file))
    case 'discard':
      return each(task.files, (file) => {
        files.discard(file)
        return noLosses
      })
    case 'compare':
      return compare(task)
  }
}

function compare({ place, inode, chunks }: Extract<WriterTask, { type: 'compare' }>): WriterAnswer {
  try {
    const descriptor = calls.openFile(folders.open(place.folder), place.name, constants.O_RDONLY, 0)
    try {
      const { ino } = fstatSync(descriptor, { bigint: true })
      return { failures: [], ...(ino === inode ? { intact: compareChunks(descriptor, chunks, hasher) } : {}) }
    } finally {
      closeSync(descriptor)
    }
  } catch (error) {
    return { failures: [failureOf(0, error)] }
  }
}

function each<T>(items: readonly T[], work: (item: T) => readonly Loss[]): WriterAnswer {
  const failures: WriterFailure[] = []
  const lost: FileLosses[] = []
  for (const [file, item] of items.entries()) {
    try {
      const losses = work(item)
      if (losses.length > 0) lost.push({ file, losses })
    } catch (error) {
      failures.push(failureOf(file, error))
    }
  }
  return { failures, losses: lost }
}

/** What a task has come to so far. */
interface Outcome {
  readonly failures: Map<number, WriterFailure>
  readonly losses: FileLosses[]
  readonly unread: UnreadBlob[]
}

function writeSegments(task: SegmentsTask): WriterAnswer {
  const outcome: Outcome = { failures: new Map(), losses: [], unread: [] }
  for (const [index, segment] of task.segments.entries()) writeSegment(task, segment, index, outcome)
  return { ...outcome, failures: [...outcome.failures.values()] }
}

function writeSegment(task: SegmentsTask, segment: SegmentTask, number: number, outcome: Outcome): void {
  const { unread } = outcome
  const what = `pack ${task.pack}`
  let raw: Uint8Array
  try {
    raw = openSegment(setup.packsKey, 'data', segment, task.bytes.subarray(segment.at, segment.at + segment.storedLength), what)
  } catch (error) {
    for (let blob = 0; blob < segment.blobs.length / 3; blob++) unread.push({ segment: number, blob, message: messageOf(error) })
    return
  }
  const { ids, blobs, writes } = segment
  let written = 0
  for (let index = 0; index < blobs.length / 3; index++) {
    const offsetInSegment = blobs[3 * index] ?? 0
    const length = blobs[3 * index + 1] ?? 0
    const stretches = blobs[3 * index + 2] ?? 0
    const from = written
    written += 2 * stretches
    try {
      const bytes = takeBlob(hasher, raw, offsetInSegment, length, ids.subarray(index * idLength, (index + 1) * idLength), what)
      writeBlob(task, bytes, writes.subarray(from, written), outcome)
    } catch (error) {
      unread.push({ segment: number, blob: index, message: messageOf(error) })
    }
  }
  native.free(raw)
  native.used(segment.storedLength)
}

/** Writes a blob wherever it belongs; what goes wrong concerns the file. */
function writeBlob(task: SegmentsTask, bytes: Uint8Array, writes: Float64Array, { failures, losses }: Outcome): void {
  for (let index = 0; index < writes.length; index += 2) {
    const number = writes[index] ?? 0
    const target = failures.has(number) ? undefined : fileAt(task.files, number)
    if (!target) continue
    try {
      const lost = target.whole ? files.write(target.file, bytes) : noLosses
      if (lost.length > 0) losses.push({ file: number, losses: lost })
      if (!target.whole) files.writePart(target.file, writes[index + 1] ?? 0, bytes)
    } catch (error) {
      failures.set(number, failureOf(number, error))
    }
  }
}

function failureOf(file: number, error: unknown): WriterFailure {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  return { file, code: typeof code === 'string' ? code : 'internal', message: messageOf(error) }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
