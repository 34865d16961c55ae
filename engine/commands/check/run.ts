import { toHex } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { BlobIdSet } from '../../catalog/id-set.ts'
import { packObject } from '../../repository/names.ts'
import type { BlobLocation } from '../../repository/pack-info.ts'
import type { Repository } from '../../repository/repository.ts'
import type { BlobId } from '../../snapshot/node.ts'
import type { RepositoryMemory } from '../memory.ts'
import type { OpenRepository } from '../open.ts'
import type { StepProgress } from '../step-progress.ts'
import type { Findings } from './findings.ts'

/** What the parts of one check share. */
export class CheckRun {
  readonly repository: Repository
  readonly memory: RepositoryMemory
  /** A catalog of its own, filled from what packs say of themselves. */
  readonly catalog: Catalog
  readonly findings: Findings
  readonly progress: StepProgress
  /** ms since 1970. */
  readonly startedMs: number
  /** Blobs that a snapshot needs and no readable pack holds. */
  readonly missing: BlobIdSet
  readonly #missingTold = new Set<string>()

  constructor({ repository, memory }: Pick<OpenRepository, 'repository' | 'memory'>, catalog: Catalog, findings: Findings, progress: StepProgress, startedMs: number) {
    this.repository = repository
    this.memory = memory
    this.catalog = catalog
    this.findings = findings
    this.progress = progress
    this.startedMs = startedMs
    this.missing = catalog.idSet('missing_blobs')
  }

  /** @returns the blob's length. Errors: `not-found`, after the pack it should be in has been told as missing, once. */
  requireBlob(id: BlobId): number {
    const place = this.#readable(id)
    if (place) return place.length
    this.missing.add(id)
    const pack = this.catalog.blobs.places(id)[0]?.location.pack
    if (pack !== undefined && !this.catalog.packs.isListed(pack) && !this.#missingTold.has(pack)) {
      this.#missingTold.add(pack)
      this.findings.damage({ object: packObject(pack), problem: 'missing', message: `pack ${pack} is missing.` })
    }
    throw new HoldfastError('not-found', `Blob ${toHex(id)} is in no readable pack.`)
  }
  #readable(id: BlobId): BlobLocation | undefined {
    return this.catalog.blobs.places(id)
      .find(({ location, usable }) => usable && !this.findings.isDamagedSegment(location.pack, location.segmentOffset))?.location
  }
}
