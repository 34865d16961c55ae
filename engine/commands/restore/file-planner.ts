import type { BigIntStats } from 'node:fs'
import { HoldfastError } from '../../base/errors.ts'
import type { ByteString } from '../../base/byte-string.ts'
import { copyOf, toHex } from '../../base/bytes.ts'
import type { RestoreJob } from '../../protocol/job.ts'
import type { BlobLocation } from '../../repository/pack-info.ts'
import { chunkIds } from '../../snapshot/content.ts'
import type { BlobId, FileNode } from '../../snapshot/node.ts'
import type { ExtendedAttribute } from '../../target/attributes.ts'
import type { ExpectedChunk } from '../../target/compare.ts'
import { fileSpec, isOneChunk, tornMode } from '../../target/file-spec.ts'
import type { FileSpec } from '../../target/file-spec.ts'
import type { EntryPlace } from '../../target/folders.ts'
import type { Reader } from '../reader.ts'
import type { BesideNames } from './beside.ts'
import type { Completion } from './completion.ts'
import type { LinkKey } from './hard-links.ts'
import { pathOf } from './paths.ts'
import { noName } from './placement.ts'
import type { RestoreProgress } from './restore-progress.ts'
import type { RestoreTarget } from './target.ts'
import type { RestoreWindow, RestoringFile } from './window.ts'

/** Chunks compared with an existing file in one task; bounds the message of a huge file. */
const compareBatch = 512

interface Options {
  readonly job: Pick<RestoreJob, 'overwrite'>
  readonly reader: Reader
  readonly target: RestoreTarget
  readonly completion: Completion
  readonly progress: RestoreProgress
  /** Starts another window; a huge file fills several. */
  readonly next: () => Promise<void>
}

/** A chunk of a file and where it is stored. */
interface LocatedChunk extends ExpectedChunk {
  readonly location: BlobLocation
}

/** A file that is to be restored. */
interface FileToPlan {
  readonly place: EntryPlace
  /** Its path in the snapshot. */
  readonly source: ByteString
  readonly node: FileNode
  /** The folder was made by this run: nothing can be there. */
  readonly fresh: boolean
  readonly attributes: readonly ExtendedAttribute[] | undefined
  /** Of a file with several names: told to, should it fail. */
  readonly link: LinkKey | undefined
  /** For one that goes beside what is there. */
  readonly names: BesideNames
}

/** What becomes of a file where something stands in its place. */
type Fate = 'written' | 'beside' | 'whatever it is' | 'as it should be'

/** Decides for each file whether it stays, goes on or is written anew, and plans its chunks. */
export class FilePlanner {
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  /**
   * @returns where the file is, or will be, as the snapshot has it; undefined where something else stays.
   * Errors: damaged (a chunk is in no pack, or sizes lie), unsafe-path (no name is left beside what is there), those of file system and storage.
   */
  async plan(file: FileToPlan, window: () => RestoreWindow): Promise<EntryPlace | undefined> {
    const { progress } = this.#options
    const { spec, fate } = await this.#place(file)
    if (fate === 'written') return this.#write(spec, file, window)
    progress.files.unchanged += 1
    progress.bytes.unchanged += file.node.size
    return fate === 'as it should be' ? spec : undefined
  }

  async #write(at: FileSpec, { source, node, attributes, link }: FileToPlan, window: () => RestoreWindow): Promise<EntryPlace> {
    const { target } = this.#options
    let spec = at
    const whole = isOneChunk(node)
    let continued = false
    if (!whole && node.size > 0) {
      const opened = target.entries.openPart(spec.folder, spec.temporary)
      spec = { ...spec, part: opened.part }
      continued = opened.continued
    }
    const file: RestoringFile = { spec, left: 0, planned: false, whole, link, source }
    window().countFile(spec.folder.path.length + (attributes ?? []).reduce((sum, { value }) => sum + value.length, 0))
    try {
      await this.#chunks(file, node, continued, window)
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'damaged') throw error
      file.failure = { code: 'damaged', message: error.message }
    }
    file.planned = true
    if (file.left === 0) window().complete.push(file)
    return spec
  }

  /** Where the file goes; beside what is there under the first name that nothing has, or that this file has from an earlier run. */
  async #place({ place, node, fresh, attributes, names }: FileToPlan): Promise<{ readonly spec: FileSpec; readonly fate: Exclude<Fate, 'beside'> }> {
    const spec = fileSpec(place, node, fresh, attributes)
    const fate = fresh ? 'written' : await this.#fate(spec, node)
    if (fate !== 'beside') return { spec, fate }
    for await (const name of names(place.name)) {
      const beside = fileSpec({ folder: place.folder, name }, node, fresh, attributes)
      const there = await this.#fate(beside, node)
      if (there !== 'beside') return { spec: beside, fate: there }
    }
    throw noName()
  }

  /** What becomes of the file; the metadata of one that is there is set right where the rule allows that. */
  async #fate(spec: FileSpec, node: FileNode): Promise<Fate> {
    const { job: { overwrite }, target, completion, progress } = this.#options
    const there = target.entries.look(spec.folder, spec.name)
    if (!there) return 'written'
    const torn = completion.unfinished && there.isFile() && (Number(there.mode) & 0o7777) === tornMode && node.mode !== tornMode
    if (torn) return 'written'
    if (overwrite === 'never' || (overwrite === 'older' && (!there.isFile() || there.mtimeNs > node.mtimeNs))) return 'whatever it is'
    const couldBeIt = there.isFile() && Number(there.size) === node.size
    const trusted = overwrite !== 'always' && !completion.unfinished && couldBeIt && target.entries.hasMetadata(there, spec)
    if (overwrite === 'beside') return couldBeIt && (trusted || (await this.#holdsContent(spec, there, node))) ? 'whatever it is' : 'beside'
    if (!couldBeIt || !target.entries.isOwners(spec.folder, there, spec)) return 'written'
    if (!trusted && !(await this.#holdsContent(spec, there, node))) return 'written'
    const losses = target.entries.finishFile(spec, there, spec)
    if (!losses) return 'written'
    progress.losses(pathOf(spec), losses)
    return 'as it should be'
  }

  async #holdsContent(place: EntryPlace, there: BigIntStats, node: FileNode): Promise<boolean> {
    for await (const chunks of this.#batches(node)) {
      const intact = await this.#compare(place, there.ino, chunks)
      if (intact.includes(0)) return false
    }
    return true
  }

  async #chunks(file: RestoringFile, node: FileNode, continued: boolean, window: () => RestoreWindow): Promise<void> {
    const { folder, temporary, part } = file.spec
    for await (const chunks of this.#batches(node)) {
      const intact = continued && part ? await this.#compare({ folder, name: temporary }, part.inode, chunks) : undefined
      for (const [index, { id, offset, length, location }] of chunks.entries()) {
        if (intact?.[index] === 1) this.#options.progress.bytes.unchanged += length
        else window().add(file, offset, id, location)
      }
      if (window().full) await this.#options.next()
    }
  }

  async #compare({ folder, name }: EntryPlace, inode: bigint, chunks: readonly LocatedChunk[]): Promise<Uint8Array> {
    const plain = chunks.map(({ offset, length, id }) => ({ offset, length, id: copyOf(id) }))
    const { intact } = await this.#options.target.pool.run({ type: 'compare', place: { folder, name }, inode, chunks: plain })
    return intact ?? new Uint8Array(chunks.length)
  }

  /** The file's chunks in order, with their places. Errors: damaged when one is unknown or they do not add up to the file's size. */
  async *#batches(node: FileNode): AsyncGenerator<LocatedChunk[]> {
    const { trees, places } = this.#options.reader
    let offset = 0
    let batch: LocatedChunk[] = []
    const take = (id: BlobId, location: BlobLocation | undefined): void => {
      if (!location) throw new HoldfastError('damaged', `a part of the file is missing: blob ${toHex(id)} is in no known pack`)
      batch.push({ id, offset, length: location.length, location })
      offset += location.length
      if (offset > node.size) throw new HoldfastError('damaged', 'the parts of the file are longer than the file')
    }
    if (node.content.depth === 0) {
      // Nearly every file: no wait for each chunk.
      for (const id of node.content.ids) take(id, places.locate(id, 'data') ?? (await places.search(id, 'data')))
    } else {
      for await (const id of chunkIds(trees.load, node.content)) {
        take(id, places.locate(id, 'data') ?? (await places.search(id, 'data')))
        if (batch.length < compareBatch) continue
        yield batch
        batch = []
      }
    }
    if (offset !== node.size) throw new HoldfastError('damaged', 'the parts of the file are shorter than the file')
    if (batch.length > 0) yield batch
  }
}
