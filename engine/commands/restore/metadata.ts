import { copyOf } from '../../base/bytes.ts'
import { fromBytes } from '../../base/byte-string.ts'
import { attributeKinds, attributesOf } from '../../snapshot/attributes.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { Attribute, TreeNode } from '../../snapshot/node.ts'
import type { ExtendedAttribute } from '../../target/attributes.ts'
import type { Metadata } from '../../target/dress.ts'

/** What an entry is to be given besides its content; copies, which keep no folder in memory. @throws damaged, and what `load` throws */
export async function metadataOf(load: LoadTree, node: TreeNode): Promise<Metadata> {
  const { mode, uid, gid, mtimeNs } = node
  if (node.attributes === undefined) return { mode, uid, gid, mtimeNs }
  return { mode, uid, gid, mtimeNs, attributes: (await attributesOf(load, node)).flatMap(extended) }
}

/** Other kinds are of systems that this version writes nothing of. */
function extended({ kind, name, value }: Attribute): ExtendedAttribute[] {
  return kind === attributeKinds.extended ? [{ name: fromBytes(name), value: copyOf(value) }] : []
}
