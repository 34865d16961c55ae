import type { FileRead, FileTask } from './file-reading.ts'

/** Hard-linked files remembered at a time, about 200 bytes each; beyond it a file is read once for each further link. */
const remembered = 50_000

interface Shared {
  read: FileRead | undefined
  readonly waiting: ((read: FileRead) => void)[]
  /** Links that have not been met yet. */
  left: number
}

/** Reads the content of a file with several links once, however many of them the sources hold. */
export class HardLinks {
  readonly #files = new Map<string, Shared>()

  /** The task to do, or undefined when another link of the same file is being or has been read: the answer then comes from it. */
  share(task: FileTask): FileTask | undefined {
    const { stat, onRead } = task
    if (stat.linkCount <= 1) return task
    // Union and network file systems give different files one inode: whatever else they may share, all of this they do not.
    const key = `${stat.device}:${stat.inode}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}:${stat.mode}:${stat.uid}:${stat.gid}`
    const known = this.#files.get(key)
    if (known) {
      if (--known.left === 0) this.#files.delete(key)
      if (known.read) onRead(sharedRead(known.read))
      else known.waiting.push(onRead)
      return undefined
    }
    if (this.#files.size >= remembered) return task
    const shared: Shared = { read: undefined, waiting: [], left: stat.linkCount - 1 }
    this.#files.set(key, shared)
    return {
      ...task,
      onRead: (read) => {
        shared.read = read
        onRead(read)
        for (const waiting of shared.waiting.splice(0)) waiting(sharedRead(read))
      },
    }
  }
}

function sharedRead(read: FileRead): FileRead {
  return read.ok ? { ...read, stored: false, shared: read.stored ? 'stored' : 'known' } : read
}
