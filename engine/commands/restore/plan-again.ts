import type { BlobPlaces } from '../blob-places.ts'
import { RestoreWindow } from './window.ts'
import type { RestoringFile, SegmentWork } from './window.ts'

/** What could not be read: pack → segment offset → the blobs of it that are still wanted. */
export type Unread = Map<string, Map<number, SegmentWork>>

/** Plans what could not be read from other copies. A file of which a chunk has no copy left has failed. Errors: those of the storage. */
export async function planAgain(unread: Unread, places: BlobPlaces): Promise<RestoreWindow> {
  const window = new RestoreWindow()
  for (const [pack, segments] of unread) {
    for (const { blobs } of segments.values()) {
      for (const { id, writes } of blobs.values()) {
        const location = await places.search(id, 'data')
        for (const { file, offset } of writes) {
          file.left -= 1
          if (location) window.add(file, offset, id, location)
          else file.failure ??= { code: 'damaged', message: places.reason(pack) }
        }
      }
    }
  }
  for (const file of filesOf(unread)) if (file.left === 0 && file.planned) window.complete.push(file)
  return window
}

/** Gives up: the files have failed, and are complete as far as their other chunks are. */
export function giveUp(unread: Unread, places: BlobPlaces): RestoringFile[] {
  for (const [pack, segments] of unread) {
    for (const { blobs } of segments.values()) {
      for (const { writes } of blobs.values()) {
        for (const { file } of writes) {
          file.left -= 1
          file.failure ??= { code: 'damaged', message: places.reason(pack) }
        }
      }
    }
  }
  return [...filesOf(unread)].filter((file) => file.left === 0 && file.planned)
}

function filesOf(unread: Unread): Set<RestoringFile> {
  const files = new Set<RestoringFile>()
  for (const segments of unread.values()) {
    for (const { blobs } of segments.values()) for (const { writes } of blobs.values()) for (const { file } of writes) files.add(file)
  }
  return files
}
