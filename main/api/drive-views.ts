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
