import { createHash } from 'node:crypto'
import { compareBytes, toHex } from '../../../../engine/base/bytes.ts'
import type { LoadTree } from '../../../../engine/snapshot/content.ts'
import type { BlobId, TreeNode } from '../../../../engine/snapshot/node.ts'
import { encodeBranch, encodeLeaf } from '../../../../engine/snapshot/tree.ts'

/** A folder's entries by name: a text is a file's content, `->x` a link to x. */
export interface MadeFolder { readonly [name: string]: string | MadeFolder }

const attributes = { mode: 0o644, uid: 0, gid: 0, mtimeNs: 1_700_000_000_000_000_000n }

/** Content-addressed trees in memory. Names are latin1 strings, a character a byte. */
export class MadeTrees {
  readonly #blobs = new Map<string, Uint8Array>()
  loads = 0

  readonly load: LoadTree = (id) => {
    this.loads++
    const blob = this.#blobs.get(toHex(id))
    return blob ? Promise.resolve(blob) : Promise.reject(new Error(`no blob ${toHex(id)}`))
  }

  folder(folder: MadeFolder): BlobId {
    const nodes = Object.entries(folder).map(([name, content]) => this.#node(Buffer.from(name, 'latin1'), content))
    return this.leaf(nodes.sort((a, b) => compareBytes(a.name, b.name)))
  }

  /** @param nodes in order of their names */
  leaf(nodes: readonly TreeNode[]): BlobId {
    if (nodes.length <= 4096) return this.#keep(encodeLeaf(nodes))
    const children = []
    for (let at = 0; at < nodes.length; at += 4096) {
      const part = nodes.slice(at, at + 4096)
      children.push({ firstName: part[0]?.name ?? Buffer.alloc(0), tree: this.leaf(part) })
    }
    return this.#keep(encodeBranch(1, children))
  }

  file(name: Uint8Array, content: string): TreeNode {
    return { ...attributes, type: 'file', name, ctimeNs: 0n, inode: 1n, device: 1n, size: content.length, sparse: false, linkCount: 1, content: { depth: 0, ids: content === '' ? [] : [idOf(content)] } }
  }

  #node(name: Uint8Array, content: string | MadeFolder): TreeNode {
    if (typeof content !== 'string') return { ...attributes, type: 'directory', name, tree: this.folder(content) }
    if (content.startsWith('->')) return { ...attributes, type: 'symlink', name, target: Buffer.from(content.slice(2)) }
    return this.file(name, content)
  }

  #keep(blob: Uint8Array): BlobId {
    const id = idOf(Buffer.from(blob))
    this.#blobs.set(toHex(id), Uint8Array.from(blob))
    return id
  }
}

function idOf(content: string | Buffer): BlobId {
  return createHash('sha256').update(content).digest()
}
