import type { FileSpec } from './file-spec.ts'

/** A file of a task. */
export interface FileTask {
  readonly file: FileSpec
  /** The one chunk in this task is the whole file. */
  readonly whole: boolean
}

/** Many files in few objects: a message of one object each costs both threads more than writing a small file does. */
export interface PackedFiles {
  /** Folders, each once for a run of files in it. */
  readonly folders: readonly string[]
  readonly names: readonly string[]
  readonly temporaries: readonly string[]
  /** For each file: index of the folder, size, mode, uid, gid, flags. */
  readonly numbers: Float64Array
  readonly mtimesNs: BigInt64Array
}

const stride = 6
const flags = { sparse: 1, direct: 2, whole: 4 } as const

export function packFiles(files: readonly FileTask[]): PackedFiles {
  const folders: string[] = []
  const numbers = new Float64Array(files.length * stride)
  const mtimesNs = new BigInt64Array(files.length)
  for (const [index, { file, whole }] of files.entries()) {
    if (folders.at(-1) !== file.folder) folders.push(file.folder)
    const flag = (file.sparse ? flags.sparse : 0) | (file.direct ? flags.direct : 0) | (whole ? flags.whole : 0)
    const at = index * stride
    numbers[at] = folders.length - 1
    numbers[at + 1] = file.size
    numbers[at + 2] = file.mode
    numbers[at + 3] = file.uid
    numbers[at + 4] = file.gid
    numbers[at + 5] = flag
    mtimesNs[index] = file.mtimeNs
  }
  return { folders, names: files.map(({ file }) => file.name), temporaries: files.map(({ file }) => file.temporary), numbers, mtimesNs }
}

/** The file at an index, or undefined beyond the last. */
export function fileAt(files: PackedFiles, index: number): FileTask | undefined {
  const { folders, names, temporaries, numbers, mtimesNs } = files
  const name = names[index]
  const temporary = temporaries[index]
  if (name === undefined || temporary === undefined) return undefined
  const number = (field: number): number => numbers[index * stride + field] ?? 0
  const flag = number(5)
  const file: FileSpec = {
    folder: folders[number(0)] ?? '', name, temporary, size: number(1), mode: number(2), uid: number(3), gid: number(4),
    mtimeNs: mtimesNs[index] ?? 0n, sparse: (flag & flags.sparse) !== 0, direct: (flag & flags.direct) !== 0,
  }
  return { file, whole: (flag & flags.whole) !== 0 }
}
