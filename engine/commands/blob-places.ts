import type { HoldfastError } from '../base/errors.ts'
import type { Catalog } from '../catalog/catalog.ts'
import { adoptPacks, refreshIndex } from '../catalog/refresh.ts'
import { listPacks } from '../repository/protocol/listing.ts'
import type { BlobLocation } from '../repository/pack-info.ts'
import type { Repository } from '../repository/repository.ts'
import type { BlobId, BlobKind } from '../snapshot/node.ts'
import type { CommandContext } from './context.ts'

/** However many blobs are missing, the storage is asked at most this often whether there are new index objects. */
const refreshEveryMs = 30_000

/** Places tried before a blob counts as lost; bounds what a forged index can make us read. */
export const maxPlaces = 8

/** What turned out to be unreadable of a pack. */
interface Failures {
  readonly reason: string
  /** The pack is gone. */
  all: boolean
  readonly segments: Set<number>
}

/**
 * Where blobs are, for readers that do not give up at a bad copy: the same blob in other packs, then what index objects tell that came
 * since the catalog was read (a prune moves blobs), at last, once, the packs' own tables of contents.
 */
export class BlobPlaces {
  readonly #repository: Repository
  readonly #catalog: Catalog
  readonly #context: CommandContext
  /** By pack; damaged segments are few, or the repository is lost. */
  readonly #failed = new Map<string, Failures>()
  #refreshing: Promise<void> | undefined
  #refreshedMs = -Infinity
  #footers: Promise<void> | undefined

  constructor(repository: Repository, catalog: Catalog, context: CommandContext) {
    this.#repository = repository
    this.#catalog = catalog
    this.#context = context
  }

  /** A known place of which nothing bad is known. */
  locate(id: BlobId, kind: BlobKind): BlobLocation | undefined {
    const first = this.#catalog.locate(id)
    if (!first || (first.kind === kind && !this.#hasFailed(first))) return first
    const places = this.#catalog.blobs.places(id).filter(({ location }) => location.kind === kind && !this.#hasFailed(location))
    return (places.find(({ usable }) => usable) ?? places[0])?.location
  }

  /** As `locate`, but where no place is known the repository is asked. Errors: those of the storage. */
  async search(id: BlobId, kind: BlobKind): Promise<BlobLocation | undefined> {
    const known = this.locate(id, kind)
    if (known) return known
    await this.#refresh()
    const found = this.locate(id, kind)
    if (found) return found
    await this.#readFooters()
    return this.locate(id, kind)
  }

  /** The segment, or with `not-found` the whole pack, cannot be read: it is not located there again. */
  fail({ pack, segmentOffset }: BlobLocation, error: Pick<HoldfastError, 'code' | 'message'>): void {
    const known = this.#failed.get(pack)
    const failures = known ?? { reason: error.code === 'not-found' ? `pack ${pack} is missing` : error.message, all: false, segments: new Set<number>() }
    if (error.code === 'not-found') failures.all = true
    else failures.segments.add(segmentOffset)
    if (known) return
    this.#failed.set(pack, failures)
    this.#context.log.with({ pack }).write('warning', `what pack ${pack} holds is looked for in other packs: ${failures.reason}`)
  }

  /** Why a blob that was located in this pack is lost. */
  reason(pack: string): string {
    return this.#failed.get(pack)?.reason ?? 'it is in no known pack'
  }

  /** Reads the contents of packs that no index object has told of. Repeating costs a listing. Errors: those of the storage. */
  async readAllFooters(): Promise<void> {
    const { packs } = this.#catalog
    const { signal } = this.#context
    packs.beginUsable()
    for await (const pack of listPacks(this.#repository.backend, 16, signal)) packs.markUsable(pack.name, pack.size)
    packs.endUsable()
    await adoptPacks(this.#repository, this.#catalog, signal)
  }

  #hasFailed({ pack, segmentOffset }: BlobLocation): boolean {
    if (this.#failed.size === 0) return false
    const failures = this.#failed.get(pack)
    return failures !== undefined && (failures.all || failures.segments.has(segmentOffset))
  }

  async #refresh(): Promise<void> {
    if (this.#context.clock.monotonic() - this.#refreshedMs < refreshEveryMs) return
    this.#refreshing ??= refreshIndex(this.#repository, this.#catalog, this.#context.signal)
      .then(() => { this.#refreshedMs = this.#context.clock.monotonic() })
      .finally(() => { this.#refreshing = undefined })
    await this.#refreshing
  }

  async #readFooters(): Promise<void> {
    if (!this.#footers) this.#context.log.write('warning', 'the index does not name all that is needed; reading the packs\' own tables')
    this.#footers ??= this.readAllFooters().catch((error: unknown) => {
      this.#footers = undefined
      throw error
    })
    await this.#footers
  }
}
