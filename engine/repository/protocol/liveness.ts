import type { BlobId } from '../../snapshot/node.ts'
import type { BlobLocator, PackContents, PackInfo } from '../pack-info.ts'
import type { ListedPack } from './listing.ts'

/** How much of a pack is still needed. */
export interface PackUse extends ListedPack {
  readonly liveBlobs: number
  /** Plain lengths of the blobs. */
  readonly liveBytes: number
  readonly deadBytes: number
}

/**
 * What a prune knows of blobs and packs. It grows with the repository (10 million blobs for 10 TB), so the real one keeps it on disk;
 * everything that grows is asked for in pieces.
 */
export interface LivenessStore extends BlobLocator, Disposable {
  /** Forgets which packs exist; what is known of their contents stays. */
  beginListing(): void
  listed(pack: ListedPack): void
  /**
   * The contents of a pack, as its footer or an index object tells. They count while the listing shows the pack with this size; what
   * tells of another size does not replace contents that count.
   */
  addPack(pack: PackInfo): void
  /** Listed packs whose contents are not known. */
  unknown(): Iterable<ListedPack>
  /** Undefined when they are not known. */
  contents(pack: string): PackContents | undefined
  /** Bytes of a listed pack; undefined when it is not listed. */
  listedSize(pack: string): number | undefined
  /** From now on the pack is no copy of anything (rule R8). */
  retire(pack: string): void
  /** Repeating is harmless. */
  markLive(id: BlobId): void
  isLive(id: BlobId): boolean
  /** The listed, known packs that are not retired, by name. */
  usage(): Iterable<PackUse>
  /** Listed, known packs that are not retired and hold a blob that another known pack holds too; last name first. */
  withDuplicates(): Iterable<ListedPack>
  /** Live blobs of a pack that no other listed, unretired pack holds. */
  uncovered(pack: string): Iterable<BlobId>
}
