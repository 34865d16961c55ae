import { hasCode, type HoldfastError } from '../../base/errors.ts'
import type { Catalog } from '../../catalog/catalog.ts'
import type { KnownPack } from '../../catalog/pack-table.ts'
import { readPackContents, readSegments } from '../../repository/pack-reader.ts'
import { listPacks } from '../../repository/protocol/listing.ts'
import { readRetireRecords } from '../../repository/protocol/retired.ts'
import type { Repository } from '../../repository/repository.ts'
import type { StepProgress } from '../step-progress.ts'

/** A pack that was read back within so long is not read again, however much budget is left. */
const readAgainMs = 30 * 24 * 3_600_000

export interface VerifiedPacks {
  readonly packs: number
  readonly bytes: number
}

/** Lists the packs, so that the catalog knows which there are. Retired ones are about to go and are left out. */
export async function listUsable(repository: Repository, catalog: Catalog, signal: AbortSignal): Promise<void> {
  const records = await readRetireRecords(repository, new Map(), signal)
  catalog.packs.beginUsable()
  for await (const pack of listPacks(repository.backend, 16, signal)) catalog.packs.markUsable(pack.name, pack.size)
  catalog.packs.endUsable()
  for (const { packs } of records.values()) for (const pack of packs) catalog.packs.markRetired(pack)
}

export interface VerifyingParts {
  readonly repository: Repository
  readonly catalog: Catalog
  readonly progress: StepProgress
  /** ms since 1970. */
  readonly startedMs: number
  /** Whether there is budget for one more. */
  readonly mayGoOn: () => boolean
  /** After each pack. */
  readonly onPack: () => void
  readonly onDamage: (pack: string, error: HoldfastError) => void
}

/**
 * Reads packs back, each blob against its id, those first that were not read for the longest time, and none twice a month, as long as the budget lasts: a
 * pack that was begun is read to its end. A damaged one is told, and keeps its date, so that it is read again by the next run. Broken off, what was read stays read.
 */
export async function verifyPacks({ repository, catalog, progress, startedMs, mayGoOn, onPack, onDamage }: VerifyingParts, signal: AbortSignal): Promise<VerifiedPacks> {
  let packs = 0
  let bytes = 0
  for (const pack of catalog.packs.leastRecentlyVerified(startedMs - readAgainMs)) {
    if (!mayGoOn()) break
    await progress.step(signal)
    try {
      await readWhole(repository, pack, signal)
      catalog.packs.setVerified(pack.name, startedMs)
      packs++
      bytes += pack.size
    } catch (error) {
      // One that is gone was pruned meanwhile: what lacks is found by following the snapshots.
      if (!hasCode(error, 'damaged', 'not-found')) throw error
      if (error.code === 'damaged') onDamage(pack.name, error)
    }
    onPack()
  }
  return { packs, bytes }
}

async function readWhole(repository: Repository, pack: KnownPack, signal: AbortSignal): Promise<void> {
  const { kind, segments } = await readPackContents(repository.backend, repository.keys, pack, signal)
  let opened = 0
  for await (const _segment of readSegments(repository, { name: pack.name, kind }, segments, signal)) opened++
  if (opened !== segments.length) throw new Error('Segments were left out.')
}
