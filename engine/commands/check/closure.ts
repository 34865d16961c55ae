import { fromBytes, toShown } from '../../base/byte-string.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { BlobIdSet } from '../../catalog/id-set.ts'
import { listSnapshots, snapshotId } from '../../repository/protocol/snapshots.ts'
import { snapshotName } from '../../repository/protocol/names.ts'
import { attributesOf } from '../../snapshot/attributes.ts'
import { decodeList } from '../../snapshot/content.ts'
import { rootOf } from '../../snapshot/manifest.ts'
import type { BlobId, ContentRef, DirectoryNode, TreeNode } from '../../snapshot/node.ts'
import { iterateTree } from '../../snapshot/tree-walk.ts'
import { toHex } from '../../base/bytes.ts'
import { recordDamage } from './inventory.ts'
import type { CheckRun } from './run.ts'

/** Follows every snapshot to its last chunk. A damaged snapshot hides no healthy one. @returns how many there are. */
export async function checkSnapshots(run: CheckRun, signal: AbortSignal): Promise<number> {
  using clean = run.catalog.idSet('clean_trees')
  let count = 0
  for await (const entry of listSnapshots(run.repository, { memory: run.memory }, signal)) {
    count++
    run.progress.expect(1)
    await run.progress.step(signal)
    if (entry.type === 'unknown') {
      recordDamage(run, entry.object, entry.error)
      continue
    }
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
    const whole = await this.#isWhole(node)
    if (!whole) this.#run.findings.affect(this.#snapshot, toShown(path))
    return node.type === 'directory' ? await this.#subdirectory(node, path, signal) && whole : whole
  }

  #subdirectory(node: DirectoryNode, path: ByteString, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    return this.directory(node.tree, path, signal)
  }

  /** What the entry has beside its entries: attributes and content. */
  async #isWhole(node: TreeNode): Promise<boolean> {
    try {
      await attributesOf((id) => this.#loadTree(id), node)
      return node.type !== 'file' || await this.#contentBytes(node.content, node.size, new Map()) === node.size
    } catch (error) {
      if (hasCode(error, 'damaged', 'not-found', 'version')) return false
      throw error
    }
  }

  /**
   * What the chunks add up to; counting ends beyond `limit`. A list that the file repeats is followed once, so that no forged file is
   * followed without end: the memory is an entry for each list of one file.
   */
  async #contentBytes(content: ContentRef, limit: number, lists: Map<string, number>): Promise<number> {
    let bytes = 0
    for (const id of content.ids) {
      bytes += content.depth === 0 ? this.#run.requireBlob(id) : await this.#listBytes(id, content.depth - 1, limit, lists)
      if (bytes > limit) break
    }
    return bytes
  }

  async #listBytes(id: BlobId, depth: number, limit: number, lists: Map<string, number>): Promise<number> {
    const key = `${depth} ${toHex(id)}`
    const known = lists.get(key)
    if (known !== undefined) return known
    const list = decodeList(await this.#loadTree(id))
    if (list.depth !== depth) throw new HoldfastError('damaged', 'Lists of chunks do not become lower on the way down.')
    const bytes = await this.#contentBytes(list, limit, lists)
    lists.set(key, bytes)
    return bytes
  }

  /** All readable trees were put into the catalog before. */
  #loadTree(id: BlobId): Promise<Uint8Array> {
    this.#run.requireBlob(id)
    const body = this.#run.catalog.trees.get(id)
    if (body) return Promise.resolve(body)
    return Promise.reject(new HoldfastError('not-found', `The tree ${toHex(id)} is missing.`))
  }
}
