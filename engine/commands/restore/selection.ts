import type { ByteString } from '../../base/byte-string.ts'
import { fromBytes, toShown } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { BlobId, TreeNode } from '../../snapshot/node.ts'
import { findInTree } from '../../snapshot/tree-walk.ts'

/** Which entries of a folder belong to a restore: all, or the named ones, each with the selection below it. */
export type Selection = 'all' | ReadonlyMap<ByteString, Selection>

/**
 * The selection of these paths (exact bytes, `/`-separated, from the snapshot's root); no path selects all.
 * Errors: not-found for a path that the snapshot does not hold, those of `load`.
 */
export async function selectPaths(load: LoadTree, root: BlobId, paths: readonly Uint8Array[]): Promise<Selection> {
  const parts = paths.map((path) => fromBytes(path).split('/').filter((part) => part !== '' && part !== '.'))
  if (parts.length === 0 || parts.some((path) => path.length === 0)) return 'all'
  for (const path of parts) await checkPath(load, root, path)
  return select(parts)
}

function select(paths: readonly (readonly ByteString[])[]): Selection {
  const byName = Map.groupBy(paths, ([name]) => name ?? '')
  return new Map([...byName].map(([name, group]): [ByteString, Selection] => {
    const below = group.map(([, ...rest]) => rest)
    return [name, below.some((rest) => rest.length === 0) ? 'all' : select(below)]
  }))
}

async function checkPath(load: LoadTree, root: BlobId, path: readonly ByteString[]): Promise<void> {
  let tree: BlobId | undefined = root
  for (const name of path) {
    const node: TreeNode | undefined = tree && (await findInTree(load, tree, Buffer.from(name, 'latin1')))
    if (!node) throw new HoldfastError('not-found', `The snapshot holds no ${toShown(path.join('/'))}.`)
    tree = node.type === 'directory' ? node.tree : undefined
  }
}
