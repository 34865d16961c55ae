import type { BigIntStats } from 'node:fs'
import { HoldfastError } from '../../base/errors.ts'
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
import type { Completion } from './completion.ts'
import type { LinkKey } from './hard-links.ts'
import { pathOf } from './paths.ts'
import type { RestoreProgress } from './restore-progress.ts'
import type { RestoreTarget } from './target.ts'
import type { RestoreWindow, RestoringFile } from './window.ts'

/** Chunks compared with an existing file in one task; bounds the message of a huge file. */
const compareBatch = 512

interface Options {
  readonly job: RestoreJob
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

/** Decides for each file whether it stays, goes on or is written anew, and plans its chunks. */
export class FilePlanner {
  readonly #options: Options

  constructor(options: Options) {
    this.#options = options
  }

  /**
   * @param fresh the folder was made by this run: nothing can be there.
   * @param link of a file with several names: told to, should it fail.
   * @returns whether the file is, or will be, as the snapshot has it.
   * Errors: damaged (a chunk is in no pack, or sizes lie), those of file system and storage.
   */
  async plan(place: EntryPlace, node: FileNode, fresh: boolean, attributes: readonly ExtendedAttribute[] | undefined, link: LinkKey | undefined, window: () => RestoreWindow): Promise<boolean> {
    const { progress, target } = this.#options
    let spec = fileSpec(place.folder, node, fresh, attributes)
    const stays = fresh ? 'no' : await this.#stays(spec, node)
    if (stays !== 'no') {
      progress.files.unchanged += 1
      progress.bytes.unchanged += node.size
      return stays === 'as it should be'
    }
    const whole = isOneChunk(node)
    let continued = false
    if (!whole && node.size > 0) {
      const opened = target.entries.openPart(place.folder, spec.temporary)
      spec = { ...spec, part: opened.part }
      continued = opened.continued
    }
    const file: RestoringFile = { spec, left: 0, planned: false, whole, link }
    window().countFile(place.folder.path.length + (attributes ?? []).reduce((sum, { value }) => sum + value.length, 0))
    try {
      await this.#chunks(file, node, continued, window)
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'damaged') throw error
      file.failure = { code: 'damaged', message: error.message }
    }
    file.planned = true
    if (file.left === 0) window().complete.push(file)
    return true
  }

  /** Whether what stands in the file's place is to stay; its metadata is set right where the rule allows that. */
  async #stays(spec: FileSpec, node: FileNode): Promise<'no' | 'whatever it is' | 'as it should be'> {
    const { job, target, completion, progress } = this.#options
    const there = target.entries.look(spec.folder, spec.name)
    if (!there) return 'no'
    const torn = completion.unfinished && there.isFile() && (Number(there.mode) & 0o7777) === tornMode && node.mode !== tornMode
    if (job.overwrite === 'never') return torn ? 'no' : 'whatever it is'
    if (!there.isFile() || Number(there.size) !== node.size || !target.entries.isOwners(spec.folder, there, spec)) return 'no'
    const trusted = job.overwrite === 'changed' && !completion.unfinished && target.entries.hasMetadata(there, spec)
    if (!trusted && !(await this.#holdsContent(spec, there, node))) return 'no'
    const losses = target.entries.finishFile(spec, there, spec)
    if (!losses) return 'no'
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
