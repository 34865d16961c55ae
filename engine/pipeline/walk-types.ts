import type { ByteString } from '../base/byte-string.ts'
import type { EntryStat } from '../base/entry-stat.ts'
import type { PauseGate } from '../base/pause.ts'
import type { Disk } from '../source/disk.ts'
import type { Excludes } from '../source/excludes.ts'
import type { Folder } from '../source/folder.ts'
import type { StoreTree } from '../snapshot/content.ts'
import type { BlobId, FileNode, TreeNode } from '../snapshot/node.ts'
import type { FileReading } from './file-reading.ts'
import type { FolderDatabases } from './live-databases.ts'
import type { JournaledEntries, JournalReader } from './journal-reader.ts'
import type { PendingDirectory } from './pending-directory.ts'
import type { LoadNow, PreviousDirectory } from './previous-directory.ts'
import type { Tally } from './tally.ts'

export interface WalkSource {
  /** Entry in the snapshot's root. */
  readonly name: ByteString
  /** Absolute, without a trailing slash but for the root. No symbolic link. */
  readonly path: ByteString
  /** As the user named it: `path`, or a link to it. */
  readonly given: ByteString
}

/** A source that is not stored as it is now. */
export interface HeldSource {
  readonly code: 'source-missing' | 'source-changed'
  /** The snapshot before has it: that version stays. */
  readonly keep: boolean
  readonly message: string
}

/** What the walk needs of the repository. */
export interface WalkStore {
  /** Makes storing possible; called before anything is stored, and cheap when repeated. */
  ensure(): Promise<void>
  readonly storeTree: StoreTree
  /** For the walk to wait at while many trees are under way. */
  treesSettled(): Promise<void> | undefined
  /** Rule R3: all of these blobs are in usable packs or on their way. */
  touch(ids: Uint8Array): boolean
  readonly load: LoadNow
  /** A tree of the snapshot before that nothing depends on; undefined where it cannot be read. */
  peek(id: BlobId): Promise<Uint8Array | undefined>
  /** Stored bytes of a blob by its raw ones, as the segment has them that it is in; undefined where that is not known. */
  storedRatio(id: BlobId): number | undefined
  /** A file whose content has been stored, and a finished directory: for the journal of the run. */
  fileDone(directory: ByteString, node: FileNode): void
  directoryDone(path: ByteString, tree: BlobId): void
}

export interface WalkOptions {
  readonly sources: readonly WalkSource[]
  readonly disk: Disk
  readonly excludes: Excludes
  /** Whether a folder is Holdfast's own, by whatever path it was reached. */
  readonly isOwn: (folder: Folder, names: readonly ByteString[]) => boolean
  readonly files: FileReading
  /** Absolute, of Holdfast's own: where databases in use are copied to before they are read. */
  readonly scratch: string
  readonly store: WalkStore
  /** Root tree to compare with. */
  readonly previousRoot?: BlobId
  /** Everything that the previous root reaches is known to be stored in usable packs; else each part is looked up. */
  readonly trusted: boolean
  readonly journal?: JournalReader
  /** Asked of a mounted folder: whether the kernel makes up its content. It is stored empty then. */
  readonly isSystemFolder?: (path: ByteString) => boolean
  /** Asked before each source, with its entry in the previous root; undefined: it is stored as it is. */
  readonly held?: (source: WalkSource, before: TreeNode | undefined) => Promise<HeldSource | undefined>
  /** A source of which somebody said that it is as it should be, however much is gone. */
  readonly isAccepted?: (source: WalkSource) => boolean
  readonly tally: Tally
  readonly pauseGate: PauseGate
  readonly signal: AbortSignal
}

/** An entry of the disk, and where it goes in the snapshot. */
export interface Place {
  readonly folder: Folder
  /** Its name in that folder. */
  readonly name: ByteString
  /** Its name in the snapshot: another one for some sources. */
  readonly as: ByteString
  readonly path: ByteString
  /** Inside its source. */
  readonly relative: ByteString
}

/** A file on its way through the reading stage. */
export interface ReadFile {
  readonly directory: ByteString
  readonly place: Place
  readonly stat: EntryStat
  readonly previous: TreeNode | undefined
}

/** One directory on the way. */
export interface Directory {
  readonly path: ByteString
  readonly prefix: ByteString
  readonly relativePrefix: ByteString
  readonly device: bigint
  /** Folders above it, up to the source. */
  readonly depth: number
  readonly pending: PendingDirectory
  readonly previous: PreviousDirectory | undefined
  readonly previousTree: BlobId | undefined
  readonly journaled: JournaledEntries | undefined
  /** Entries so far that are those of the previous tree, from its first on. */
  unchanged: number
  /** Of its files, when their names have been read. */
  databases?: FolderDatabases
}
