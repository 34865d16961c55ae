import { type ByteString, toShown } from '../base/byte-string.ts'
import type { Counters, Problem } from '../protocol/progress.ts'

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
  directories = 0
  others = 0
  currentPath: ByteString | undefined
  problemCount = 0
  readonly firstProblems: Problem[] = []
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
    return counters(this.bytes, counted)
  }

  /** Bytes of the source that are stored, whether by this run or before. */
  get doneBytes(): number {
    return this.bytes.unchanged + this.bytes.deduplicated + this.bytes.uploaded
  }
}

function counters({ found: walked, unchanged, deduplicated, uploaded, dropped }: Counted, counted: number): Counters {
  const found = Math.max(walked, counted)
  return { found, unchanged, deduplicated, uploaded, waiting: Math.max(0, found - unchanged - deduplicated - uploaded - dropped) }
}
