import { fromHex } from '../../base/bytes.ts'
import { systemRandom } from '../../repository/crypto.ts'
import { indexObject, randomName } from '../../repository/names.ts'
import type { PackInfo } from '../../repository/pack-info.ts'
import { putIndexes } from '../../repository/protocol/index-objects.ts'
import { retireRecordName } from '../../repository/protocol/names.ts'
import { sealRetireRecord } from '../../repository/protocol/records.ts'
import type { IndexFindings } from './inventory.ts'
import type { CheckRun } from './run.ts'

/** What a repair did. */
export interface Repair {
  /** New index objects, written from the packs' own tables. */
  readonly indexObjects: number
  readonly removedIndexObjects: number
  /** Damaged packs that no backup builds upon any more: the next one stores again what it still finds in its sources. */
  readonly retiredPacks: number
  /** Missing blobs that were found in the sources on this machine and stored again. */
  readonly restoredBlobs: number
}

/**
 * Writes index objects for the packs that no good one names, then removes the bad ones: in this order a reader always finds every pack.
 * May be broken off and repeated.
 */
export async function repairIndexes(run: CheckRun, index: IndexFindings, signal: AbortSignal): Promise<Pick<Repair, 'indexObjects' | 'removedIndexObjects'>> {
  const written = await putIndexes(run.repository, unindexedPacks(run, index), systemRandom, signal)
  for (const name of index.bad) await run.repository.backend.remove(indexObject(name), signal)
  return { indexObjects: written.length, removedIndexObjects: index.bad.length }
}

function* unindexedPacks(run: CheckRun, index: IndexFindings): Generator<PackInfo> {
  for (const pack of run.catalog.packs.usablePacks()) {
    const contents = index.indexed.has(fromHex(pack.name)) ? undefined : run.catalog.packs.unindexedContents(pack.name)
    if (contents) yield { ...pack, contents }
  }
}

/**
 * Puts damaged packs into a retire record, so that no backup counts on them (rule R2). What can be read in them stays readable, and a
 * prune moves it. Legal at any time and for any packs: retiring a good one only costs a copy.
 */
export async function retireDamagedPacks(run: CheckRun, signal: AbortSignal): Promise<number> {
  const packs = [...run.findings.damagedPacks()].sort()
  if (packs.length === 0) return 0
  const record = randomName(systemRandom)
  const bytes = sealRetireRecord(run.repository.keys, record, packs)
  await run.repository.backend.put(retireRecordName(record), { type: 'bytes', bytes }, {}, signal)
  return packs.length
}

