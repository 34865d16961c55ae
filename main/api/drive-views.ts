import type { FolderView } from './views.ts'

/** A disk that is attached, on which a person may keep backups. */
export interface DriveView {
  /** The file system's own id: the same wherever the disk is plugged in and mounted. */
  readonly id: string
  /** As its maker or its owner has called it. */
  readonly name: string
  /** Folder where it is mounted, to be shown. */
  readonly mount: string
  readonly freeBytes: number
  readonly totalBytes: number
  /** It is made to be unplugged. */
  readonly removable: boolean
}

/** A disk that the backups of a job go to. */
export interface JobDisk {
  /** Of the file system. */
  readonly id: string
  readonly name: string
  /** The next backup goes there, and what can be looked at and restored lies there; of several one. */
  readonly current: boolean
  /** It is plugged in. */
  readonly present: boolean
  /** When it was there last, ms since 1970. */
  readonly seenMs: number
  /** When a backup onto it was complete last, ms since 1970; absent: never yet. */
  readonly completeMs?: number
  /** It is made to be unplugged, nothing works on it, and all that was written is on it. */
  readonly safe: boolean
}

/** The folder on a disk that backups are kept in. */
export interface DriveFolderView extends FolderView {
  /** A Holdfast repository is there already. */
  readonly repository: boolean
}
