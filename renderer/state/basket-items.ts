import type { BasketItem } from './basket.svelte.ts'
import type { EntryView, SnapshotView } from './bridge.ts'
import { isBelow, pathKey } from './path.ts'
import { shownPath } from './shown-path.ts'

/** A chosen path of a snapshot for the restore list. @param entry what it is, where it was seen; @param except all that was let go in the snapshot */
export function itemOf({ id, finishedMs }: Pick<SnapshotView, 'id' | 'finishedMs'>, path: Uint8Array, entry: EntryView | undefined, except: readonly Uint8Array[]): BasketItem {
  const { name, folder } = shownPath(path)
  return {
    snapshot: id, finishedMs, path, shown: entry?.shown ?? name, folder, ...(entry && { type: entry.type, mtimeMs: entry.mtimeMs }), ...(entry?.size !== undefined && { size: entry.size }),
    except: except.filter((one) => isBelow(pathKey(one), pathKey(path))),
  }
}
