import { ByteWriter, type ByteReader } from '../base/bytes.ts'

/**
 * Shared bytes of the blobs of kind `tree`: each begins with its type, the format version and its depth, so that none can be
 * taken for another. See FORMAT.md.
 */
const treeFormatVersion = 1
export const leafType = 0x54 // T: entries of a directory
export const branchType = 0x42 // B: first names and ids of leaves or lower branches
export const listType = 0x4c // L: ids of a file's chunks or of lower lists
export const attributesType = 0x41 // A: attributes of an entry
export type TreeBlobType = typeof leafType | typeof branchType | typeof listType | typeof attributesType

/** Depth of branches and lists at most: 256 per level make 8 enough for anything; bounds what a forged one can make us walk. */
export const maxDepth = 8

/** Bytes of an entry in front of what depends on its type. */
export const idBytes = 32
/** NTFS, exFAT and what is mounted from Windows have names of 255 UTF-16 units: up to 765 bytes of UTF-8. */
export const maxNameBytes = 1023
export const maxTargetBytes = 65_536

/** Room for the hasher, see `BlobHasher.id`. */
const headroomBytes = 64

export const nodeTypes = ['file', 'directory', 'symlink', 'fifo'] as const

export function startBlob(type: TreeBlobType, depth: number, capacity: number): ByteWriter {
  const writer = new ByteWriter(capacity + 16, headroomBytes)
  writer.u8(type)
  writer.u8(treeFormatVersion)
  writer.u8(depth)
  return writer
}

/** Checks a blob's first bytes. @returns its depth. */
export function readStart(reader: ByteReader, type: TreeBlobType): number {
  if (reader.u8() !== type) reader.fail('is not of the kind that its place asks for')
  const version = reader.u8()
  if (version !== treeFormatVersion) reader.fail(`is of unknown version ${version}`)
  const depth = reader.u8()
  if (depth > maxDepth || (type === leafType || type === attributesType) !== (depth === 0)) reader.fail('has an impossible depth')
  return depth
}

/** Whether a name could be an entry of a directory: 1–1023 bytes, no `/`, no NUL, not `.` or `..`. */
export function isEntryName(name: Uint8Array): boolean {
  if (name.length === 0 || name.length > maxNameBytes) return false
  for (const byte of name) if (byte === 0x2f || byte === 0) return false
  return !(name[0] === 0x2e && (name.length === 1 || (name.length === 2 && name[1] === 0x2e)))
}

/** FNV-1a with a final mix: places the cuts of large directories by names, the same on every machine. */
export function nameHash(name: Uint8Array): number {
  let hash = 0x811c9dc5
  for (const byte of name) hash = Math.imul(hash ^ byte, 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}
