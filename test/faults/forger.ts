import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { ByteWriter, toHex } from '../../engine/base/bytes.ts'
import { fixedCredentials } from '../../engine/backend/credentials.ts'
import { openBackend } from '../../engine/backend/open.ts'
import { BlobHasher } from '../../engine/repository/blob-id.ts'
import { sealParts, systemRandom } from '../../engine/repository/crypto.ts'
import { encodeIndex } from '../../engine/repository/index-codec.ts'
import { jobKeyOf } from '../../engine/repository/keys.ts'
import { indexObject, packObject, randomName } from '../../engine/repository/names.ts'
import { sealPackEnd } from '../../engine/repository/pack-end.ts'
import type { PackContents, PackInfo } from '../../engine/repository/pack-info.ts'
import { PackWriter } from '../../engine/repository/pack-writer.ts'
import { intentName, snapshotName } from '../../engine/repository/protocol/names.ts'
import { openRepository, type Repository } from '../../engine/repository/repository.ts'
import { objectHeader, sealObject } from '../../engine/repository/sealed.ts'
import type { Manifest } from '../../engine/snapshot/manifest.ts'
import type { BlobId, BlobKind, DirectoryNode, FileNode, TreeNode } from '../../engine/snapshot/node.ts'
import { encodeNode } from '../../engine/snapshot/tree.ts'
import type { World } from '../fixtures/world.ts'
import { never } from './template.ts'

/** An entry of a forged folder: any bytes for a name, any bytes for the rest. */
export interface ForgedEntry {
  readonly name: Uint8Array
  readonly body: Uint8Array
}

type NodeParts = Record<string, unknown> & { readonly type: TreeNode['type'] }

/** Somebody who has the password and writes whatever the codecs, and bytes beside them, can express. */
export class Forger {
  readonly repository: Repository
  readonly #world: World
  readonly #hasher: BlobHasher
  readonly #blobs: Record<BlobKind, { readonly id: BlobId; readonly bytes: Uint8Array }[]> = { data: [], tree: [] }
  #revision = 1
  #files = 0

  constructor(world: World, repository: Repository) {
    this.#world = world
    this.repository = repository
    this.#hasher = new BlobHasher(repository.keys.blobId)
  }

  static async at(world: World): Promise<Forger> {
    const backend = await openBackend(world.repository, { credentials: fixedCredentials({}), signal: never })
    return new Forger(world, await openRepository(backend, world.password, never))
  }

  data(bytes: Uint8Array): BlobId {
    return this.#blob('data', bytes)
  }

  tree(bytes: Uint8Array): BlobId {
    return this.#blob('tree', bytes)
  }

  /** A folder whose entries stand as given, in the order given. */
  folder(entries: readonly ForgedEntry[], count = entries.length): BlobId {
    const writer = new ByteWriter(1024)
    for (const byte of [0x54, 1, 0]) writer.u8(byte)
    writer.varint(count)
    for (const { name, body } of entries) {
      writer.varint(name.length)
      writer.bytes(name)
      writer.bytes(body)
    }
    return this.tree(Uint8Array.from(writer.written()))
  }

  directory(name: string | Uint8Array, tree: BlobId, more: Partial<DirectoryNode> = {}): ForgedEntry {
    return entry(name, { type: 'directory', tree, ...more })
  }

  file(name: string | Uint8Array, content: FileNode['content'], size: number, more: Partial<FileNode> = {}): ForgedEntry {
    return entry(name, { type: 'file', ctimeNs: 1n, inode: 1n, device: 1n, size, sparse: false, linkCount: 1, content, ...more })
  }

  /** A file with its content stored. */
  text(name: string | Uint8Array, text: string, more: Partial<FileNode> = {}): ForgedEntry {
    return this.file(name, { depth: 0, ids: [this.data(Buffer.from(text))] }, Buffer.byteLength(text), more)
  }

  symlink(name: string | Uint8Array, target: string): ForgedEntry {
    return entry(name, { type: 'symlink', target: Buffer.from(target) })
  }

  /** Stores what was made so far, with an index that tells the truth or what `lie` makes of it. */
  async store(lie: (packs: readonly PackInfo[]) => readonly PackInfo[] = (packs) => packs): Promise<readonly PackInfo[]> {
    const packs: PackInfo[] = []
    for (const kind of ['data', 'tree'] as const) {
      const blobs = this.#blobs[kind].splice(0)
      if (blobs.length === 0) continue
      const writer = new PackWriter(join(this.#world.folder, `forged-${this.#files++}`), this.repository.keys.packs, kind, { level: 1 })
      for (let from = 0; from < blobs.length; from += 10_000) writer.append(blobs.slice(from, from + 10_000))
      const { path, size, crc32, contents } = writer.finish()
      const name = randomName(systemRandom)
      await this.repository.backend.put(packObject(name), { type: 'file', path, size, crc32 }, {}, never)
      rmSync(path, { force: true })
      packs.push({ name, size, contents })
    }
    await this.index(lie(packs))
    return packs
  }

  async index(packs: readonly PackInfo[]): Promise<void> {
    for (const plain of encodeIndex(packs)) {
      const object = indexObject(randomName(systemRandom))
      await this.put(object, sealObject(this.repository.keys, object, 'index', plain))
    }
  }

  /** A pack with one segment of exactly this plaintext, sealed under whatever shape it is said to have. */
  async rawPack(kind: BlobKind, segment: { readonly plain: Uint8Array; readonly rawLength: number; readonly blobCount: number }, contents: (storedLength: number) => PackContents): Promise<PackInfo> {
    const { keys } = this.repository
    const header = objectHeader(kind === 'data' ? 'data-pack' : 'tree-pack')
    const additional = Buffer.alloc(16)
    additional.set(header, 0)
    additional[4] = 1
    additional[5] = 1
    additional.writeUInt32LE(segment.blobCount, 8)
    additional.writeUInt32LE(segment.rawLength, 12)
    const parts = sealParts(keys.packs, additional, segment.plain)
    const sealed = Buffer.concat([parts.salt, parts.ciphertext, parts.tag])
    const told = contents(sealed.length)
    const bytes = Buffer.concat([header, sealed, sealPackEnd(keys.packs, told)])
    const name = randomName(systemRandom)
    await this.put(packObject(name), bytes)
    return { name, size: bytes.length, contents: told }
  }

  /** A committed snapshot `evil@N` of this root. */
  async snapshot(root: BlobId, more: Record<string, unknown> = {}): Promise<string> {
    const jobKey = jobKeyOf(this.repository.keys, 'evil')
    const ref = { jobKey, revision: this.#revision++, suffix: '' }
    const manifest: Manifest = {
      version: 1, job: 'evil', host: 'there', user: 'mallory', sources: [], root: toHex(root), startedMs: 1, finishedMs: 2, timeZone: 'UTC',
      counters: { files: 1, directories: 1, others: 0, bytes: 1, uploadedBytes: 1 }, program: 'forger', problems: 0,
    }
    const value = { type: 'manifest', nonce: '0'.repeat(32), manifest: { ...manifest, ...more } }
    const name = snapshotName(ref)
    await this.put(name, sealObject(this.repository.keys, name, 'snapshot', Buffer.from(JSON.stringify(value))))
    return `evil@${ref.revision}`
  }

  async intent(value: unknown): Promise<void> {
    const name = intentName({ jobKey: jobKeyOf(this.repository.keys, 'evil'), revision: 900, suffix: '' })
    await this.put(name, sealObject(this.repository.keys, name, 'intent', Buffer.from(JSON.stringify(value))))
  }

  async put(name: string, bytes: Uint8Array): Promise<void> {
    await this.repository.backend.put(name, { type: 'bytes', bytes }, {}, never)
  }

  idOf(bytes: Uint8Array): BlobId {
    return this.#hasher.idOf(bytes)
  }

  #blob(kind: BlobKind, bytes: Uint8Array): BlobId {
    const id = this.#hasher.idOf(bytes)
    if (!this.#blobs[kind].some((blob) => Buffer.compare(blob.id, id) === 0)) this.#blobs[kind].push({ id, bytes })
    return id
  }
}

/** An entry as the encoder writes it, under a name that the encoder would refuse. */
function entry(name: string | Uint8Array, parts: NodeParts): ForgedEntry {
  const writer = new ByteWriter(256)
  encodeNode(writer, { name: Buffer.from('x'), mode: 0o644, uid: 0, gid: 0, mtimeNs: 1_000_000_000n, ...parts } as unknown as TreeNode)
  return { name: Buffer.from(name), body: Uint8Array.from(writer.written().subarray(2)) }
}
