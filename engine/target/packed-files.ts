import type { ExtendedAttribute } from './attributes.ts'
import type { FileSpec } from './file-spec.ts'
import type { FolderPlace } from './folders.ts'

/** A file of a task. */
export interface FileTask {
  readonly file: FileSpec
  /** The one chunk in this task is the whole file. */
  readonly whole: boolean
}

/** Many files in few objects: a message of one object each costs both threads more than writing a small file does. */
export interface PackedFiles {
  /** Folders, each once for a run of files in it. */
  readonly folders: readonly FolderPlace[]
  readonly names: readonly string[]
  readonly temporaries: readonly string[]
  /** For each file: index of the folder, size, mode, uid, gid, flags, owner of the part. */
  readonly numbers: Float64Array
  readonly mtimesNs: BigInt64Array
  /** 0 for a file that has no part. */
  readonly partInodes: BigUint64Array
  /** Of the few that have some. */
  readonly attributes: ReadonlyMap<number, readonly ExtendedAttribute[]>
}

const stride = 7
const flags = { sparse: 1, direct: 2, whole: 4 } as const

export function packFiles(files: readonly FileTask[]): PackedFiles {
  const folders: FolderPlace[] = []
  const numbers = new Float64Array(files.length * stride)
  const mtimesNs = new BigInt64Array(files.length)
  const partInodes = new BigUint64Array(files.length)
  const attributes = new Map<number, readonly ExtendedAttribute[]>()
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
    numbers[at + 6] = file.part?.owner ?? 0
    mtimesNs[index] = file.mtimeNs
    partInodes[index] = file.part?.inode ?? 0n
    if (file.attributes) attributes.set(index, file.attributes)
  }
  return { folders, names: files.map(({ file }) => file.name), temporaries: files.map(({ file }) => file.temporary), numbers, mtimesNs, partInodes, attributes }
}

/** The file at an index, or undefined beyond the last. */
export function fileAt(files: PackedFiles, index: number): FileTask | undefined {
  const { folders, names, temporaries, numbers, mtimesNs, partInodes, attributes } = files
  const name = names[index]
  const temporary = temporaries[index]
  const folder = folders[numbers[index * stride] ?? 0]
  if (name === undefined || temporary === undefined || !folder) return undefined
  const number = (field: number): number => numbers[index * stride + field] ?? 0
  const flag = number(5)
  const partInode = partInodes[index] ?? 0n
  const file: FileSpec = {
    folder, name, temporary, size: number(1), mode: number(2), uid: number(3), gid: number(4),
    mtimeNs: mtimesNs[index] ?? 0n, sparse: (flag & flags.sparse) !== 0, direct: (flag & flags.direct) !== 0,
    part: partInode === 0n ? undefined : { inode: partInode, owner: number(6) }, attributes: attributes.get(index),
  }
  return { file, whole: (flag & flags.whole) !== 0 }
}
