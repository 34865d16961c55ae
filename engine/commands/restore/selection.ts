import type { ByteString } from '../../base/byte-string.ts'
import { namesOf, toShown } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { BlobId, TreeNode } from '../../snapshot/node.ts'
import { findInTree } from '../../snapshot/tree-walk.ts'

/** What of an entry belongs to a restore: all of it, nothing, or of a folder the named entries as they say and the others all or not. */
export type Selection = 'all' | 'nothing' | { readonly entries: ReadonlyMap<ByteString, Selection>; readonly others: 'all' | 'nothing' }

/** The selection of an entry in a folder with this selection. */
export function selectionOf(folder: Selection, name: ByteString): Selection {
  return typeof folder === 'string' ? folder : (folder.entries.get(name) ?? folder.others)
}

/**
 * The selection of these paths (exact bytes, `/`-separated, from the snapshot's root; no path selects all) without those in `except`.
 * Of paths within each other the longer one decides; of the same in both lists, `except`.
 * Errors: not-found for a path that the snapshot does not hold, those of `load`.
 */
export async function selectPaths(load: LoadTree, root: BlobId, paths: readonly Uint8Array[], except: readonly Uint8Array[] = []): Promise<Selection> {
  const chosen = paths.map(namesOf)
  const left = except.map(namesOf)
  for (const path of [...chosen, ...left]) await checkPath(load, root, path)
  const marks: readonly Mark[] = [...chosen.map((path): Mark => ({ path, on: true })), ...left.map((path): Mark => ({ path, on: false }))]
  return select(marks, chosen.length === 0)
}

interface Mark {
  /** From the folder that is looked at. */
  readonly path: readonly ByteString[]
  readonly on: boolean
}

/** @param inherited what holds where no mark says otherwise. */
function select(marks: readonly Mark[], inherited: boolean): Selection {
  const own = marks.filter(({ path }) => path.length === 0)
  const on = own.length > 0 ? own.every((mark) => mark.on) : inherited
  const others = on ? 'all' : 'nothing'
  const byName = Map.groupBy(marks.filter(({ path }) => path.length > 0), ({ path }) => path[0] ?? '')
  const entries = [...byName].map(([name, group]): [ByteString, Selection] => [name, select(group.map((mark) => ({ ...mark, path: mark.path.slice(1) })), on)])
  return entries.every(([, selection]) => selection === others) ? others : { entries: new Map(entries), others }
}

async function checkPath(load: LoadTree, root: BlobId, path: readonly ByteString[]): Promise<void> {
  let tree: BlobId | undefined = root
  for (const name of path) {
    const node: TreeNode | undefined = tree && (await findInTree(load, tree, Buffer.from(name, 'latin1')))
    if (!node) throw new HoldfastError('not-found', `The snapshot holds no ${toShown(path.join('/'))}.`)
    tree = node.type === 'directory' ? node.tree : undefined
  }
}
