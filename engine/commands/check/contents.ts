import { hasCode } from '../../base/errors.ts'
import { forEachParallel } from '../../base/parallel.ts'
import type { KnownPack } from '../../catalog/pack-table.ts'
import { packObject } from '../../repository/names.ts'
import type { PackContents, PackSegment } from '../../repository/pack-info.ts'
import { readSegments } from '../../repository/pack-reader.ts'
import { recordDamage } from './inventory.ts'
import type { CheckRun } from './run.ts'

/** Packs read side by side; each holds two ranges of up to 8 MiB. */
const parallelPacks = 2

/** Reads all packs of trees, whose blobs go to the catalog: names and structure of every snapshot are always checked to the byte. */
export async function readTreePacks(run: CheckRun, signal: AbortSignal): Promise<void> {
  await forEachParallel(packsOf(run, 'tree'), parallelPacks, signal, async (pack, until) => {
    if (await readPack(run, pack, until)) run.catalog.packs.setVerified(pack.name, run.startedMs)
  })
}

/**
 * Reads a share of the data packs whole, those first that were not read for the longest time, so that checking 10 % ten times reads
 * everything. Packs without a table of contents are always read. @returns the share.
 */
export async function readDataPacks(run: CheckRun, percent: number, signal: AbortSignal): Promise<number> {
  let total = 0
  for (const _ of packsOf(run, 'data')) total++
  const share = Math.ceil((total * percent) / 100)
  run.progress.expect(share)
  await forEachParallel(packsOf(run, 'data', run.findings.footerless), parallelPacks, signal, async (pack, until) => { await readPack(run, pack, until) })
  await forEachParallel(oldest(run, share), parallelPacks, signal, async (pack, until) => {
    await run.progress.step(until)
    if (await readPack(run, pack, until)) run.catalog.packs.setVerified(pack.name, run.startedMs)
  })
  return share
}

interface PackToRead extends KnownPack {
  readonly contents: PackContents
}

function* packsOf(run: CheckRun, kind: PackContents['kind'], only?: ReadonlySet<string>): Generator<PackToRead> {
  for (const pack of run.catalog.packs.usablePacks()) {
    if (only && !only.has(pack.name)) continue
    const contents = run.catalog.packs.unindexedContents(pack.name)
    if (contents?.kind === kind) yield { ...pack, contents }
  }
}

function* oldest(run: CheckRun, count: number): Generator<PackToRead> {
  let left = count
  for (const pack of run.catalog.packs.leastRecentlyVerified(run.startedMs)) {
    if (left === 0) return
    const contents = run.catalog.packs.unindexedContents(pack.name)
    if (contents?.kind !== 'data') continue
    left--
    yield { ...pack, contents }
  }
}

/** Opens every segment and checks every id; a damaged segment hides no other one. @returns whether there is none. */
async function readPack(run: CheckRun, pack: PackToRead, signal: AbortSignal): Promise<boolean> {
  let rest = pack.contents.segments
  let whole = true
  while (rest.length > 0) {
    const read = await readUntilDamage(run, pack, rest, signal)
    const bad = rest[read]
    if (bad === undefined) return whole
    whole = false
    run.findings.damagedSegment(pack.name, bad.offset)
    rest = rest.slice(read + 1)
  }
  return whole
}

/** @returns how many segments were good before the first bad one. */
async function readUntilDamage(run: CheckRun, pack: PackToRead, segments: readonly PackSegment[], signal: AbortSignal): Promise<number> {
  let good = 0
  const { kind } = pack.contents
  try {
    for await (const { segment, blobs } of readSegments(run.repository, { name: pack.name, kind }, segments, signal)) {
      if (kind === 'tree') run.catalog.transaction(() => { for (const [at, { id }] of segment.blobs.entries()) run.catalog.trees.put(id, blobs[at] ?? new Uint8Array()) })
      good++
    }
  } catch (error) {
    if (!hasCode(error, 'damaged', 'not-found')) throw error
    recordDamage(run, packObject(pack.name), error)
  }
  return good
}
