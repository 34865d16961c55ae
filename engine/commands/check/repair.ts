import { fromHex } from '../../base/bytes.ts'
import { systemRandom } from '../../repository/crypto.ts'
import { indexObject } from '../../repository/names.ts'
import type { PackInfo } from '../../repository/pack-info.ts'
import type { UnreadableAnnotation } from '../../repository/protocol/annotations.ts'
import { putIndexes } from '../../repository/protocol/index-objects.ts'
import type { UnreadableProof } from '../../repository/protocol/proofs.ts'
import { replaceRecords, retirePacks, type UnreadableRecord } from '../../repository/protocol/retired.ts'
import type { IndexFindings } from './inventory.ts'
import type { CheckRun } from './run.ts'

/** What a repair did. */
export interface Repair {
  /** New index objects, written from the packs' own tables. */
  readonly indexObjects: number
  readonly removedIndexObjects: number
  /** Packs that no backup builds upon any more, mostly damaged ones: the next one stores again what it still finds in its sources. */
  readonly retiredPacks: number
  /** Missing blobs that were found in the sources on this machine and stored again. */
  readonly restoredBlobs: number
  /** Pins, names and notes that nobody can read any more. Absent: none. */
  readonly removedAnnotations?: number
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

/** What is damaged there says nothing any more, and would keep its snapshot for ever. What a later version wrote stays. */
export async function repairAnnotations(run: CheckRun, unreadable: readonly UnreadableAnnotation[], signal: AbortSignal): Promise<number> {
  const damaged = unreadable.filter(({ error }) => error.code === 'damaged')
  for (const { object } of damaged) await run.repository.backend.remove(object, signal)
  return damaged.length
}

/** A record that nobody can read keeps everybody from backing up: see replaceRecords. @returns how many packs were retired for its sake. */
export async function repairRecords(run: CheckRun, records: readonly UnreadableRecord[], signal: AbortSignal): Promise<number> {
  const damaged = records.filter(({ error }) => error.code === 'damaged')
  return damaged.length === 0 ? 0 : await replaceRecords(run.repository, damaged, systemRandom, signal)
}

/** Nothing is lost with a proof that nobody can read. */
export async function removeProofs(run: CheckRun, proofs: readonly UnreadableProof[], signal: AbortSignal): Promise<void> {
  for (const { name, error } of proofs) if (error.code === 'damaged') await run.repository.backend.remove(name, signal)
}

/**
 * Puts damaged packs into a retire record, so that no backup counts on them (rule R2). What can be read in them stays readable, and a
 * prune moves it. Legal at any time and for any packs: retiring a good one only costs a copy.
 */
export async function retireDamagedPacks(run: CheckRun, signal: AbortSignal): Promise<number> {
  const packs = [...run.findings.damagedPacks()].sort()
  await retirePacks(run.repository, packs, systemRandom, signal)
  return packs.length
}

