import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { compareAttributes } from '../../../engine/snapshot/attributes.ts'
import type { Attribute, BlobId, FileNode, TreeNode } from '../../../engine/snapshot/node.ts'

/** Keeps tree blobs by the hash of their content, as a repository does. */
export class TreeStore {
  readonly blobs = new Map<string, Uint8Array>()
  loads = 0

  readonly store = (bytes: Uint8Array): BlobId => {
    const id = createHash('sha256').update(bytes).digest()
    this.blobs.set(id.toString('hex'), bytes.slice())
    return id
  }

  readonly load = async (id: BlobId): Promise<Uint8Array> => {
    this.loads++
    const bytes = this.blobs.get(Buffer.from(id).toString('hex'))
    if (!bytes) throw new Error('no such blob')
    return bytes
  }
}

export function idOf(text: string): BlobId {
  return createHash('sha256').update(text).digest()
}

export function file(name: string | Uint8Array, more: Partial<FileNode> = {}): FileNode {
  return {
    type: 'file', name: Buffer.from(name), mode: 0o644, uid: 1000, gid: 1000, mtimeNs: 1_700_000_000_123_456_789n, ctimeNs: 1_700_000_000_987_654_321n,
    inode: 42n, device: 66_305n, size: 5, content: { depth: 0, ids: [idOf('chunk')] }, sparse: false, linkCount: 1, ...more,
  }
}

const name = fc.uint8Array({ minLength: 1, maxLength: 1023 }).filter((bytes) => !bytes.includes(0) && !bytes.includes(0x2f) && !(bytes[0] === 0x2e && (bytes.length === 1 || (bytes.length === 2 && bytes[1] === 0x2e))))
const id = fc.uint8Array({ minLength: 32, maxLength: 32 })
const long = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
const unsigned = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })
const base = { mode: fc.nat(0o7777), uid: fc.nat(0xffff_ffff), gid: fc.nat(0xffff_ffff), mtimeNs: long }

const attribute: fc.Arbitrary<Attribute> = fc.record({ kind: fc.integer({ min: 1, max: 255 }), name: fc.uint8Array({ min: 1, minLength: 1, maxLength: 30 }), value: fc.uint8Array({ maxLength: 100 }) })

/** A list as storeAttributes gives it for an entry. */
const attributes = fc.array(attribute, { minLength: 1, maxLength: 3 }).map((list) => {
  const ordered = list.toSorted(compareAttributes)
  return ordered.filter((one, index) => index === 0 || compareAttributes(one, ordered[index - 1] ?? one) !== 0)
})

const extras: fc.Arbitrary<Pick<TreeNode, 'birthNs' | 'attributes'>> = fc.oneof(
  fc.constant({}),
  fc.record({ birthNs: long, attributes: fc.oneof(attributes, id) }, { requiredKeys: [] }),
)

const plainNode: fc.Arbitrary<TreeNode> = fc.oneof(
  fc.record({
    type: fc.constant('file'), name, ...base, ctimeNs: long, inode: unsigned, device: unsigned, size: fc.maxSafeNat(), sparse: fc.boolean(), linkCount: fc.nat(0xffff_ffff),
    content: fc.oneof(fc.record({ depth: fc.constant(0), ids: fc.array(id, { maxLength: 9 }) }), fc.record({ depth: fc.integer({ min: 1, max: 8 }), ids: fc.array(id, { minLength: 1, maxLength: 3 }) })),
  }),
  fc.record({ type: fc.constant('directory'), name, ...base, tree: id }),
  fc.record({ type: fc.constant('symlink'), name, ...base, target: fc.uint8Array({ maxLength: 300 }) }),
  fc.record({ type: fc.constant('fifo'), name, ...base }),
)

const node: fc.Arbitrary<TreeNode> = fc.tuple(plainNode, extras).map(([own, more]) => ({ ...own, ...more }))

/** Entries as a directory has them: sorted, each name once. */
export const directory = fc.array(node, { maxLength: 20 }).map(sorted)

function sorted(nodes: readonly TreeNode[]): TreeNode[] {
  const ordered = nodes.toSorted((a, b) => Buffer.compare(a.name, b.name))
  return ordered.filter((one, index) => index === 0 || Buffer.compare(one.name, ordered[index - 1]?.name ?? one.name) !== 0)
}

/** For comparison by value: bytes as hex, big numbers as text. */
export function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part)]))
}

/** Everything that an iteration gives. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
