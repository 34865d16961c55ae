import type { BlobIdSet } from '../../catalog/id-set.ts'
import { equalBytes, fromHex } from '../../base/bytes.ts'
import { hasCode } from '../../base/errors.ts'
import { forEachParallel } from '../../base/parallel.ts'
import { encodeFooter } from '../../repository/footer.ts'
import { fetchOpened } from '../../repository/fetch.ts'
import { decodeIndex } from '../../repository/index-codec.ts'
import { indexObject, packNameOf, packObject } from '../../repository/names.ts'
import { checkPackHeader, readPackContents } from '../../repository/pack-reader.ts'
import { readAnnotations, type UnreadableAnnotation } from '../../repository/protocol/annotations.ts'
import type { DrillProof } from '../../protocol/drill.ts'
import { readDrills, type UnreadableProof } from '../../repository/protocol/proofs.ts'
import { unreadableRecords, type UnreadableRecord } from '../../repository/protocol/retired.ts'
import { headerBytes, openObject } from '../../repository/sealed.ts'
import { mergeVerifiedDates } from '../verified-dates.ts'
import type { CheckRun } from './run.ts'

const footerDownloads = 8
const indexDownloads = 2

/** What index objects say, beside what the packs say. */
export interface IndexFindings {
  /** Names of index objects that cannot be read or that contradict a pack. */
  readonly bad: readonly string[]
  /** Packs that a good index object names, by the 16 bytes of their names. */
  readonly indexed: BlobIdSet
}

/** Lists the packs and reads header and footer of each: what a pack says of itself is the truth that all else is held against. */
export async function checkPacks(run: CheckRun, signal: AbortSignal): Promise<void> {
  const { repository, catalog } = run
  catalog.packs.forgetContents()
  catalog.packs.beginUsable()
  for await (const info of repository.backend.list('packs/', signal)) {
    const name = packNameOf(info.name)
    if (name !== undefined) catalog.packs.markUsable(name, info.size)
    else run.findings.damage({ object: info.name, problem: 'contradicts', message: `${info.name} is not the name of a pack.` })
  }
  catalog.packs.endUsable()
  run.progress.expect(catalog.packs.unknownCount())
  await forEachParallel(catalog.packs.unknownPacks(), footerDownloads, signal, async (pack, until) => {
    await run.progress.step(until)
    try {
      const contents = await readPackContents(repository.backend, repository.keys, pack, until)
      checkPackHeader({ name: pack.name, kind: contents.kind }, await repository.backend.get(packObject(pack.name), { offset: 0, length: headerBytes }, until))
      catalog.packs.addPack({ ...pack, contents })
    } catch (error) {
      recordDamage(run, packObject(pack.name), error)
    }
  })
}

/** Reads every index object and compares it with the packs it names. */
export async function checkIndexes(run: CheckRun, signal: AbortSignal): Promise<IndexFindings> {
  const bad: string[] = []
  const indexed = run.catalog.idSet('indexed_packs')
  const names: string[] = []
  for await (const info of run.repository.backend.list('index/', signal)) names.push(info.name.slice('index/'.length))
  run.progress.expect(names.length)
  await forEachParallel(names, indexDownloads, signal, async (name, until) => {
    await run.progress.step(until)
    try {
      const contradictions = await compareIndex(run, name, indexed, until)
      if (contradictions.length === 0) return
      bad.push(name)
      for (const message of contradictions) run.findings.damage({ object: indexObject(name), problem: 'contradicts', message })
    } catch (error) {
      bad.push(name)
      recordDamage(run, indexObject(name), error)
    }
  })
  return { bad, indexed }
}

/** Reads every retire record: beside one that nobody can read no backup is made. */
export async function checkRecords(run: CheckRun, signal: AbortSignal): Promise<readonly UnreadableRecord[]> {
  const unreadable: UnreadableRecord[] = []
  for await (const record of unreadableRecords(run.repository, signal)) {
    unreadable.push(record)
    recordDamage(run, record.name, record.error)
  }
  return unreadable
}

/** Reads what people said about snapshots: what nobody can read there pins its snapshot. */
export async function checkAnnotations(run: CheckRun, signal: AbortSignal): Promise<readonly UnreadableAnnotation[]> {
  const { found, unknown } = await readAnnotations(run.repository, '', new Map(), signal)
  const unreadable = [...unknown, ...[...found.values()].flatMap((read) => read.unreadable)]
  for (const { object, error } of unreadable) recordDamage(run, object, error)
  return unreadable
}

export interface Proofs {
  readonly unreadable: readonly UnreadableProof[]
  readonly lastDrill: DrillProof | undefined
}

/** Reads every proof, and learns from them when packs were read back. Nothing rests on one: a bad one costs no file. */
export async function checkProofs(run: CheckRun, signal: AbortSignal): Promise<Proofs> {
  const verified = await mergeVerifiedDates(run.repository, run.catalog, run.startedMs, signal)
  const { drills, unreadable } = await readDrills(run.repository, Infinity, signal)
  const all = [...verified.unreadable, ...unreadable]
  for (const { name, error } of all) recordDamage(run, name, error)
  return { unreadable: all, lastDrill: drills[0] }
}

async function compareIndex(run: CheckRun, name: string, indexed: BlobIdSet, signal: AbortSignal): Promise<string[]> {
  const { repository, catalog, findings } = run
  const object = indexObject(name)
  const plain = await fetchOpened(() => repository.backend.get(object, 'all', signal), (bytes) => openObject(repository.keys, object, 'index', bytes))
  const contradictions: string[] = []
  for (const pack of decodeIndex(plain, object)) {
    const own = catalog.packs.unindexedContents(pack.name)
    if (own === undefined) {
      // The pack is gone, or cannot say what it holds: what the index says tells which blobs were in it, and where to look for them.
      catalog.packs.addPack(pack)
      if (catalog.packs.isListed(pack.name)) findings.footerless.add(pack.name)
    } else if (findings.footerless.has(pack.name) || equalBytes(encodeFooter(own), encodeFooter(pack.contents))) {
      indexed.add(fromHex(pack.name))
    } else if (catalog.packs.isListed(pack.name)) {
      contradictions.push(`${object} says of pack ${pack.name} what the pack itself does not say.`)
    }
  }
  return contradictions
}

/** Notes a damaged, vanished or unknown object; other errors end the check. */
export function recordDamage(run: CheckRun, object: string, error: unknown): void {
  if (!hasCode(error, 'damaged', 'not-found', 'version')) throw error
  const problem = error.code === 'damaged' ? 'damaged' : error.code === 'version' ? 'unknown-version' : 'missing'
  run.findings.damage({ object, problem, message: error.message })
}
