import { type ByteString, toShown } from '../base/byte-string.ts'
import type { Counters, Note, Problem } from '../protocol/progress.ts'
import { ChangeTally } from './change-tally.ts'

const keptProblems = 100

interface Counted {
  found: number
  unchanged: number
  deduplicated: number
  uploaded: number
  /** Left out with a problem. */
  dropped: number
}

const nothing = (): Counted => ({ found: 0, unchanged: 0, deduplicated: 0, uploaded: 0, dropped: 0 })

/** The five counters of a run (A8), for files and bytes, and what went wrong without stopping it. */
export class Tally {
  readonly files = nothing()
  readonly bytes = nothing()
  /** What differs from the snapshot before. */
  readonly changes = new ChangeTally()
  /**
   * In packs that an interrupted run had sealed and this one brings to the storage. The walk finds their files stored already, so that
   * nothing is read again (E3); here they wait until their pack has arrived, and are uploaded then.
   */
  carriedBytes = 0
  directories = 0
  others = 0
  currentPath: ByteString | undefined
  problemCount = 0
  readonly firstProblems: Problem[] = []
  readonly #notes = new Map<Note['code'], Note>()
  readonly #onProblem: (problem: Problem) => void

  constructor(onProblem: (problem: Problem) => void) {
    this.#onProblem = onProblem
  }

  /** For a second pass over the source; problems are found again, too. */
  restart(): void {
    Object.assign(this.files, nothing())
    Object.assign(this.bytes, { ...nothing(), uploaded: this.bytes.uploaded })
    this.directories = 0
    this.others = 0
    this.problemCount = 0
    this.firstProblems.length = 0
    this.#notes.clear()
  }

  /** Something to tell once a run, however often it is met: no warning, since nothing that belongs into the snapshot is missing. */
  note(code: Note['code'], path: ByteString, message: string): void {
    const known = this.#notes.get(code)
    this.#notes.set(code, known ? { ...known, count: known.count + 1 } : { code, path: toShown(path), message, count: 1 })
  }

  /** By kind, as they were met first. */
  get notes(): readonly Note[] {
    return [...this.#notes.values()]
  }

  problem(code: Problem['code'], path: ByteString, message: string): void {
    const problem = { code, path: toShown(path), message }
    this.problemCount++
    if (this.firstProblems.length < keptProblems) this.firstProblems.push(problem)
    this.#onProblem(problem)
  }

  /** @param counted files that were counted ahead of the walk: they are found, and wait. */
  fileCounters(counted = 0): Counters {
    return counters(this.files, counted)
  }

  byteCounters(counted = 0): Counters {
    return counters(this.bytes, counted, this.carriedBytes)
  }

  /** Bytes of the source that are stored, whether by this run or before. */
  get doneBytes(): number {
    const { unchanged, deduplicated, uploaded } = this.byteCounters()
    return unchanged + deduplicated + uploaded
  }
}

function counters({ found: walked, uploaded, dropped, ...known }: Counted, counted: number, carried = 0): Counters {
  const found = Math.max(walked, counted)
  const unchanged = Math.max(0, known.unchanged - carried)
  const deduplicated = Math.max(0, known.deduplicated - Math.max(0, carried - known.unchanged))
  return { found, unchanged, deduplicated, uploaded, waiting: Math.max(0, found - unchanged - deduplicated - uploaded - dropped) }
}
