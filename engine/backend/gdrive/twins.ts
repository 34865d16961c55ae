import type { DriveFile } from './drive.ts'

/**
 * Names are not unique in Drive: two machines that make the same one at once make two files. Everybody takes the one that was there
 * first, so that what somebody has read under a name never changes by a creation that comes later. Ids decide where times are equal.
 */
export function olderFirst(a: DriveFile, b: DriveFile): number {
  return a.createdMs - b.createdMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
}
