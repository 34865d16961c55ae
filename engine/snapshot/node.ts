/** The content of a file: its chunk ids in order, directly or through list blobs (kind `tree`) that hold ids. */
export interface ContentRef {
  /** 0: `ids` are data chunks. n > 0: `ids` are list blobs whose content is a ContentRef of depth n-1. */
  readonly depth: number
  readonly ids: readonly BlobId[]
}

/** HMAC-SHA-256 of the plaintext, 32 bytes. */
export type BlobId = Uint8Array

/** What every entry of a directory carries. Times in ns since 1970; names are exact bytes, never decoded before they are shown. */
interface NodeBase {
  readonly name: Uint8Array
  /** Permission bits only (07777). */
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly mtimeNs: bigint
  /** When it was made, where the file system tells. Linux does not let it be set. */
  readonly birthNs?: bigint
  /** Absent where there are none. Read them with `attributesOf`. */
  readonly attributes?: Attributes
}

/** Extended attributes, access control lists and what else a system keeps beside a file's content; see attributes.ts for kinds. */
export interface Attribute {
  /** One of `attributeKinds`, or of a later version: 1–255. */
  readonly kind: number
  readonly name: Uint8Array
  readonly value: Uint8Array
}

/** A sorted list, not empty; a long one is a blob of kind `tree` of its own, named by its id. */
export type Attributes = readonly Attribute[] | BlobId

/** What change detection compares besides size and mtime: a rewrite that restores size and mtime still shows here. */
export interface ChangeStamp {
  readonly ctimeNs: bigint
  readonly inode: bigint
  readonly device: bigint
}

export interface FileNode extends NodeBase, ChangeStamp {
  readonly type: 'file'
  /** Bytes that `content` adds up to. */
  readonly size: number
  readonly content: ContentRef
  /** The file had holes; restore writes zero runs as holes. */
  readonly sparse: boolean
  /** Links with equal device and inode inside one snapshot are one file; 1 where it is not shared. */
  readonly linkCount: number
}

export interface DirectoryNode extends NodeBase {
  readonly type: 'directory'
  /** Id of its tree blob (a leaf or a branch, see tree.ts). */
  readonly tree: BlobId
}

export interface SymlinkNode extends NodeBase {
  readonly type: 'symlink'
  readonly target: Uint8Array
}

export interface FifoNode extends NodeBase {
  readonly type: 'fifo'
}

export type TreeNode = FileNode | DirectoryNode | SymlinkNode | FifoNode

export type BlobKind = 'data' | 'tree'
