import { sumOf, type Changes, type ReadChanges } from '../protocol/changes.ts'
import type { ContentRef, FileNode, TreeNode } from '../snapshot/node.ts'
import type { FileRead } from './file-reading.ts'
import { look } from './look.ts'

interface Counted {
  files: number
  bytes: number
}

const none = (): Counted => ({ files: 0, bytes: 0 })

/**
 * Counts what differs from the snapshot before (see Changes). What the walk sees it sees again in each pass; what reading showed is told once, since files
 * that were read are known in the next pass, and in the run that continues an interrupted one.
 */
export class ChangeTally {
  /** Files that stand where they stood, and that were not read. */
  readonly kept = none()
  #compared = none()
  #added = none()
  #gone = none()
  #gonePlain = none()
  #emptied = none()
  readonly #read: Record<keyof ReadChanges, Counted> = { moved: none(), rewritten: none(), scrambled: none(), randomRewritten: none(), randomAdded: none(), blanked: none() }
  #compares = false
  #sealed = false

  /** @param before what the run that is continued had found */
  carry(before: ReadChanges): void {
    for (const key of Object.keys(this.#read) as (keyof ReadChanges)[]) this.#read[key] = { ...before[key] }
  }

  /** A pass begins. @param compares with the snapshot before; otherwise there is nothing to tell. */
  begin(compares: boolean): void {
    if (this.#sealed) return
    this.#compares = compares
    Object.assign(this.kept, none())
    this.#compared = none()
    this.#added = none()
    this.#gone = none()
    this.#gonePlain = none()
    this.#emptied = none()
  }

  /** From now on passes compare with what this run itself has built: they tell nothing new. */
  seal(): void {
    this.#sealed = true
  }

  /** Whether there is a snapshot before, and differences from it count. */
  get counts(): boolean {
    return this.#compares && !this.#sealed
  }

  /** A file of the snapshot before is nowhere below its folder. @param isPlain it could be compressed */
  gone(bytes: number, isPlain: boolean): void {
    add(this.#gone, bytes)
    if (isPlain) add(this.#gonePlain, bytes)
  }

  /** A file that is not known to be unchanged. @param previous what stands in its place in the snapshot before, whatever it is */
  found(bytes: number, previous: TreeNode | undefined): void {
    if (previous?.type !== 'file') {
      add(this.#added, bytes)
      return
    }
    add(this.#compared, previous.size)
    if (bytes === 0 && previous.size > 0) add(this.#emptied, previous.size)
  }

  /** A file was read. @param couldBeCompressed whether the content before could; asked where it matters only */
  read({ node, previous, read }: ReadTold, couldBeCompressed: (content: ContentRef) => boolean): void {
    const before = previous?.type === 'file' ? previous : undefined
    if (before && isSame(before.content, node.content)) return
    if (before && node.size > 0 && read.look === look.blank) {
      add(this.#read.blanked, before.size)
      return
    }
    if (!read.stored && read.shared !== 'stored') {
      add(this.#read.moved, node.size)
      return
    }
    const isRandom = read.look === look.random
    if (!before) {
      if (isRandom) add(this.#read.randomAdded, node.size)
      return
    }
    add(this.#read.rewritten, node.size)
    if (!isRandom) return
    add(this.#read.randomRewritten, node.size)
    if (couldBeCompressed(before.content)) add(this.#read.scrambled, node.size)
  }

  /** What reading showed so far. */
  get readSoFar(): ReadChanges {
    return this.#read
  }

  /** Undefined: there was no snapshot to compare with. */
  get changes(): Changes | undefined {
    if (!this.#compares) return undefined
    const { blanked, ...read } = this.#read
    return {
      before: sumOf(this.kept, this.#compared, this.#gone), added: this.#added, removed: sumOf(this.#gone, this.#emptied, blanked), removedPlain: this.#gonePlain, ...read,
    }
  }
}

export interface ReadTold {
  readonly node: FileNode
  readonly previous: TreeNode | undefined
  readonly read: Extract<FileRead, { ok: true }>
}

function add(to: Counted, bytes: number): void {
  to.files++
  to.bytes += bytes
}

function isSame(a: ContentRef, b: ContentRef): boolean {
  return a.depth === b.depth && a.ids.length === b.ids.length && a.ids.every((id, at) => Buffer.compare(id, b.ids[at] ?? new Uint8Array()) === 0)
}
