import { copyOf } from '../../base/bytes.ts'
import { attributesBlob, decodeAttributes } from '../../snapshot/attributes.ts'
import { decodeList } from '../../snapshot/content.ts'
import type { BlobId, ContentRef, TreeNode } from '../../snapshot/node.ts'
import { decodeTree } from '../../snapshot/tree.ts'
import { attributesType, listType } from '../../snapshot/tree-format.ts'

/** What a blob of kind `tree` refers to directly. */
export interface References {
  /** Leaves, branches, directories, lists of chunks and of attributes: they may refer to more. Copies. */
  readonly trees: readonly BlobId[]
  /** Views of the blob. */
  readonly data: readonly BlobId[]
}

/** Every blob that a blob of kind `tree` needs, whichever of the four shapes it has. @throws damaged */
export function treeReferences(bytes: Uint8Array): References {
  const trees: BlobId[] = []
  const data: BlobId[] = []
  if (bytes[0] === listType) addContent(decodeList(bytes), trees, data)
  else if (bytes[0] === attributesType) decodeAttributes(bytes)
  else {
    const tree = decodeTree(bytes)
    if (tree.type === 'branch') for (const child of tree.children) trees.push(copyOf(child.tree))
    else for (const node of tree.nodes) addNode(node, trees, data)
  }
  return { trees, data }
}

function addNode(node: TreeNode, trees: BlobId[], data: BlobId[]): void {
  if (node.type === 'directory') trees.push(copyOf(node.tree))
  const attributes = attributesBlob(node)
  if (attributes) trees.push(copyOf(attributes))
  if (node.type === 'file') addContent(node.content, trees, data)
}

function addContent(content: ContentRef, trees: BlobId[], data: BlobId[]): void {
  for (const id of content.ids) {
    if (content.depth === 0) data.push(id)
    else trees.push(copyOf(id))
  }
}
