import { toBytes, type ByteString } from '../../base/byte-string.ts'
import { equalBytes } from '../../base/bytes.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { BlobId, TreeNode } from '../../snapshot/node.ts'
import { findInTree } from '../../snapshot/tree-walk.ts'
import { besideNames, type BesideNames } from './beside.ts'
import { selectionOf, type Selection } from './selection.ts'

/** A folder as a part of the restore that came before has it, and what of it that part restores. */
export interface EarlierFolder {
  readonly tree: BlobId
  readonly selection: Selection
  /** Told in the names of what that part put beside something. */
  readonly label: string
}

/** What of earlier parts is in the place of an entry. */
interface Met {
  /** Nothing: it goes there. `same`: it is there. `another`: something else is there. */
  readonly what: 'nothing' | 'same' | 'another'
  /** Of a folder that is one in the earlier parts too: what they have in it. */
  readonly below: readonly EarlierFolder[]
}

/**
 * What parts of the same restore that came before put in the place of an entry, so that no two versions of a path overwrite one another. It is read from
 * their snapshots, so that a restore that goes on after an interruption finds the same.
 */
export async function meetEarlier(load: LoadTree, earlier: readonly EarlierFolder[], name: ByteString, node: TreeNode): Promise<Met> {
  let what: Met['what'] = 'nothing'
  const below: EarlierFolder[] = []
  for (const { tree, selection, label } of earlier) {
    const chosen = selectionOf(selection, name)
    const there = chosen === 'nothing' ? undefined : await findInTree(load, tree, toBytes(name))
    if (there?.type === 'directory' && node.type === 'directory') below.push({ tree: there.tree, selection: chosen, label })
    else if (there && what !== 'same') what = node.type !== 'directory' && isSame(there, node) ? 'same' : 'another'
    else if (!there && what === 'nothing' && name.includes(` (${label})`)) what = 'another'
  }
  return { what, below }
}

/** Names beside what is there, none of which the folder of the snapshot, or an earlier part's, has. */
export function freeNames(load: LoadTree, tree: BlobId, earlier: readonly EarlierFolder[], label: string): BesideNames {
  const names = besideNames(load, tree, label)
  return async function* (name) {
    for await (const beside of names(name)) {
      const taken = await Promise.all(earlier.map((folder) => findInTree(load, folder.tree, toBytes(beside))))
      if (taken.every((node) => !node)) yield beside
    }
  }
}

/** Of equal content; times and rights are those of the first. */
function isSame(a: TreeNode, b: TreeNode): boolean {
  if (a.type === 'symlink' && b.type === 'symlink') return equalBytes(a.target, b.target)
  if (a.type !== 'file' || b.type !== 'file' || a.size !== b.size || a.content.depth !== b.content.depth) return a.type === 'fifo' && b.type === 'fifo'
  return a.content.ids.length === b.content.ids.length && a.content.ids.every((id, index) => equalBytes(id, b.content.ids[index] ?? new Uint8Array()))
}
