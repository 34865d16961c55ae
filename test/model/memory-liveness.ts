import { toHex } from '../../engine/base/bytes.ts'
import type { BlobLocation, PackContents, PackInfo } from '../../engine/repository/pack-info.ts'
import type { ListedPack } from '../../engine/repository/protocol/listing.ts'
import type { LivenessStore, PackUse } from '../../engine/repository/protocol/liveness.ts'
import type { BlobId } from '../../engine/snapshot/node.ts'

/** A liveness store in memory: the readable reference of the SQLite one, and quick enough for thousands of runs. */
export class MemoryLiveness implements LivenessStore {
  readonly #listed = new Map<string, ListedPack>()
  readonly #known = new Map<string, PackInfo>()
  readonly #holders = new Map<string, Set<string>>()
  readonly #retired = new Set<string>()
  readonly #live = new Set<string>()

  beginListing(): void {
    this.#listed.clear()
  }

  listed(pack: ListedPack): void {
    this.#listed.set(pack.name, pack)
  }

  addPack(pack: PackInfo): void {
    if (this.#listed.has(pack.name) && this.#isKnown(pack.name) && this.#listed.get(pack.name)?.size !== pack.size) return
    const before = this.#known.get(pack.name)
    if (before) for (const id of idsOf(before.contents)) this.#holders.get(id)?.delete(pack.name)
    this.#known.set(pack.name, pack)
    for (const id of idsOf(pack.contents)) {
      const holders = this.#holders.get(id) ?? new Set()
      this.#holders.set(id, holders.add(pack.name))
    }
  }

  *unknown(): Generator<ListedPack> {
    for (const pack of this.#listed.values()) if (!this.#isKnown(pack.name)) yield pack
  }

  contents(pack: string): PackContents | undefined {
    return this.#isKnown(pack) ? this.#known.get(pack)?.contents : undefined
  }

  listedSize(pack: string): number | undefined {
    return this.#listed.get(pack)?.size
  }

  retire(pack: string): void {
    this.#retired.add(pack)
  }

  markLive(id: BlobId): void {
    this.#live.add(toHex(id))
  }

  isLive(id: BlobId): boolean {
    return this.#live.has(toHex(id))
  }

  *usage(): Generator<PackUse> {
    for (const pack of this.#counting()) {
      const blobs = this.#known.get(pack.name)?.contents.segments.flatMap((segment) => segment.blobs) ?? []
      const live = blobs.filter((blob) => this.isLive(blob.id))
      const liveBytes = live.reduce((sum, blob) => sum + blob.length, 0)
      yield { ...pack, liveBlobs: live.length, liveBytes, deadBytes: blobs.reduce((sum, blob) => sum + blob.length, 0) - liveBytes }
    }
  }

  *withDuplicates(): Generator<ListedPack> {
    for (const pack of [...this.#counting()].reverse()) {
      const contents = this.contents(pack.name)
      if (contents && idsOf(contents).some((id) => (this.#holders.get(id)?.size ?? 0) > 1)) yield pack
    }
  }

  *uncovered(pack: string): Generator<BlobId> {
    const contents = this.contents(pack)
    if (!contents) return
    for (const id of new Set(idsOf(contents))) {
      if (this.#live.has(id) && !this.#copies(id).some((holder) => holder !== pack)) yield Buffer.from(id, 'hex')
    }
  }

  locate(id: BlobId): BlobLocation | undefined {
    const key = toHex(id)
    const holders = [...this.#holders.get(key) ?? []].filter((name) => this.#listed.has(name) && this.#isKnown(name))
    const pack = holders.find((name) => !this.#retired.has(name)) ?? holders[0]
    const contents = pack === undefined ? undefined : this.contents(pack)
    if (pack === undefined || !contents) return undefined
    for (const segment of contents.segments) {
      let offsetInSegment = 0
      for (const blob of segment.blobs) {
        if (toHex(blob.id) === key) {
          const { offset: segmentOffset, storedLength, rawLength, compression } = segment
          return { pack, kind: contents.kind, segmentOffset, storedLength, rawLength, compression, blobCount: segment.blobs.length, offsetInSegment, length: blob.length }
        }
        offsetInSegment += blob.length
      }
    }
    return undefined
  }

  [Symbol.dispose](): void {
    this.#known.clear()
  }

  #copies(id: string): string[] {
    return [...this.#holders.get(id) ?? []].filter((name) => this.#listed.has(name) && this.#isKnown(name) && !this.#retired.has(name))
  }

  #counting(): ListedPack[] {
    const packs = [...this.#listed.values()].filter((pack) => this.#isKnown(pack.name) && !this.#retired.has(pack.name))
    return packs.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  #isKnown(pack: string): boolean {
    return this.#known.get(pack)?.size === this.#listed.get(pack)?.size && this.#known.has(pack)
  }
}

function idsOf(contents: PackContents): string[] {
  return contents.segments.flatMap((segment) => segment.blobs.map((blob) => toHex(blob.id)))
}
