import { type ByteString, toBytes } from '../base/byte-string.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { BlobId, FileNode } from '../snapshot/node.ts'
import { encodeLeaf } from '../snapshot/tree.ts'

/** What waits for the next write at most, in bytes of trees and in files. */
const treeBytesLimit = 2 * 1024 * 1024
const filesLimit = 5_000
/** Files in one row. */
const filesPerRow = 1024

/**
 * Collects what a run has finished, and writes it to the catalog together: with every sealed pack (what the journal tells of is then
 * mostly in packs that the next run finds), and whenever much has come together.
 */
export class JournalWriter {
  readonly #catalog: Catalog
  #trees: { readonly id: BlobId; readonly bytes: Uint8Array }[] = []
  #treeBytes = 0
  #directories: { readonly path: ByteString; readonly tree: BlobId }[] = []
  #files = new Map<ByteString, FileNode[]>()
  #fileCount = 0

  constructor(catalog: Catalog) {
    this.#catalog = catalog
  }

  /** A tree in plain, for the comparison of the next run. */
  tree(id: BlobId, bytes: Uint8Array): void {
    this.#trees.push({ id, bytes })
    this.#treeBytes += bytes.length
    if (this.#treeBytes > treeBytesLimit) this.flush()
  }

  fileDone(directory: ByteString, node: FileNode): void {
    const files = this.#files.get(directory)
    if (files) files.push(node)
    else this.#files.set(directory, [node])
    if (++this.#fileCount > filesLimit) this.flush()
  }

  directoryDone(path: ByteString, tree: BlobId): void {
    this.#directories.push({ path, tree })
    const files = this.#files.get(path)
    if (!files) return
    this.#fileCount -= files.length
    this.#files.delete(path)
  }

  /** Writes what has come together; may be called inside a transaction. */
  flush(): void {
    if (this.#trees.length + this.#directories.length + this.#fileCount === 0) return
    const { trees, journal } = this.#catalog
    this.#catalog.transaction(() => {
      for (const { id, bytes } of this.#trees) trees.put(id, bytes)
      for (const { path, tree } of this.#directories) journal.tree(toBytes(path), tree)
      for (const [path, nodes] of this.#files) {
        for (let at = 0; at < nodes.length; at += filesPerRow) journal.files(toBytes(path), encodeLeaf(sorted(nodes.slice(at, at + filesPerRow))))
      }
    })
    this.#trees = []
    this.#treeBytes = 0
    this.#directories = []
    this.#files = new Map()
    this.#fileCount = 0
  }
}

function sorted(nodes: readonly FileNode[]): FileNode[] {
  return nodes.toSorted((a, b) => Buffer.compare(a.name, b.name))
}
