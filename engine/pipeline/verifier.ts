import { BlobHasher } from '../repository/blob-id.ts'
import type { RepositoryKeys } from '../repository/keys.ts'
import type { PackSegment } from '../repository/pack-info.ts'
import { openSegment, takeBlob } from '../repository/segment.ts'
import type { BlobKind } from '../snapshot/node.ts'
import type { NativeMemory } from '../base/memory.ts'

/** Opens what was read back from a storage. Runs in a worker thread. */
export class Verifier {
  readonly #keys: RepositoryKeys
  readonly #hasher: BlobHasher
  readonly #native: NativeMemory

  constructor(keys: RepositoryKeys, native: NativeMemory) {
    this.#keys = keys
    this.#hasher = new BlobHasher(keys.blobId)
    this.#native = native
  }

  /** @throws damaged when a blob is not what its id says. */
  verify(pack: { readonly name: string; readonly kind: BlobKind }, segments: readonly PackSegment[], bytes: Uint8Array): void {
    const start = segments[0]?.offset ?? 0
    for (const segment of segments) {
      const from = segment.offset - start
      this.#open(pack, segment, bytes.subarray(from, from + segment.storedLength))
      this.#native.used(segment.storedLength)
    }
    this.#native.free(bytes)
  }

  #open(pack: { readonly name: string; readonly kind: BlobKind }, segment: PackSegment, stored: Uint8Array): void {
    const what = `pack ${pack.name}`
    const shape = { rawLength: segment.rawLength, compression: segment.compression, blobCount: segment.blobs.length }
    const raw = openSegment(this.#keys.packs, pack.kind, shape, stored, what)
    let offset = 0
    for (const { id, length } of segment.blobs) {
      takeBlob(this.#hasher, raw, offset, length, id, what)
      offset += length
    }
    this.#native.free(raw)
  }
}
