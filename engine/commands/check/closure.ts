import { fromBytes, toShown } from '../../base/byte-string.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { BlobIdSet } from '../../catalog/id-set.ts'
import { listSnapshots, snapshotId } from '../../repository/protocol/snapshots.ts'
import { snapshotName } from '../../repository/protocol/names.ts'
import { chunkIds } from '../../snapshot/content.ts'
import { rootOf } from '../../snapshot/manifest.ts'
import type { BlobId, DirectoryNode, FileNode, TreeNode } from '../../snapshot/node.ts'
import { iterateTree } from '../../snapshot/tree-walk.ts'
import { toHex } from '../../base/bytes.ts'
import { recordDamage } from './inventory.ts'
import type { CheckRun } from './run.ts'

/** Follows every snapshot to its last chunk. A damaged snapshot hides no healthy one. @returns how many there are. */
export async function checkSnapshots(run: CheckRun, signal: AbortSignal): Promise<number> {
  using clean = run.catalog.idSet('clean_trees')
  let count = 0
  for await (const entry of listSnapshots(run.repository, {}, signal)) {
    count++
    run.progress.expect(1)
    await run.progress.step(signal)
    if (entry.type === 'damaged') {
      recordDamage(run, snapshotName(entry.ref), entry.error)
      run.findings.affect(snapshotName(entry.ref), '')
      continue
    }
    const snapshot = snapshotId(entry.manifest, entry.ref)
    await new SnapshotWalk(run, clean, snapshot).directory(rootOf(entry.manifest), '', signal)
  }
  return count
}

class SnapshotWalk {
  readonly #run: CheckRun
  /** Directories whose whole content is known to be there, in whatever snapshot they were seen. */
  readonly #clean: BlobIdSet
  readonly #snapshot: string

  constructor(run: CheckRun, clean: BlobIdSet, snapshot: string) {
    this.#run = run
    this.#clean = clean
    this.#snapshot = snapshot
  }

  /** @returns whether everything below is there. */
  async directory(tree: BlobId, path: ByteString, signal: AbortSignal): Promise<boolean> {
    if (this.#clean.has(tree)) return true
    let whole = true
    try {
      for await (const node of iterateTree((id) => this.#loadTree(id), tree)) {
        if (!await this.#node(node, `${path}/${fromBytes(node.name)}`, signal)) whole = false
      }
    } catch (error) {
      if (!hasCode(error, 'damaged', 'not-found', 'version')) throw error
      this.#run.findings.affect(this.#snapshot, path === '' ? '' : `${toShown(path)}/`)
      return false
    }
    if (whole) this.#clean.add(tree)
    return whole
  }

  async #node(node: TreeNode, path: ByteString, signal: AbortSignal): Promise<boolean> {
    if (node.type === 'directory') return this.#subdirectory(node, path, signal)
    if (node.type !== 'file' || await this.#isWhole(node)) return true
    this.#run.findings.affect(this.#snapshot, toShown(path))
    return false
  }

  #subdirectory(node: DirectoryNode, path: ByteString, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    return this.directory(node.tree, path, signal)
  }

  async #isWhole(node: FileNode): Promise<boolean> {
    try {
      for await (const id of chunkIds((list) => this.#loadTree(list), node.content)) this.#run.requireBlob(id)
      return true
    } catch (error) {
      if (hasCode(error, 'damaged', 'not-found', 'version')) return false
      throw error
    }
  }

  /** All readable trees were put into the catalog before. */
  #loadTree(id: BlobId): Promise<Uint8Array> {
    this.#run.requireBlob(id)
    const body = this.#run.catalog.trees.get(id)
    if (body) return Promise.resolve(body)
    return Promise.reject(new HoldfastError('not-found', `The tree ${toHex(id)} is missing.`))
  }
}
