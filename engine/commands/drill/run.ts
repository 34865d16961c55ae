import { join } from 'node:path'
import { fromBytes, fromText, toBytes, toShown, type ByteString } from '../../base/byte-string.ts'
import { hasCode } from '../../base/errors.ts'
import { errnoOf } from '../../base/errno.ts'
import type { DrillJob } from '../../protocol/job.ts'
import type { Problem } from '../../protocol/progress.ts'
import { BlobHasher } from '../../repository/blob-id.ts'
import { snapshotId } from '../../repository/protocol/snapshots.ts'
import { chunkIds } from '../../snapshot/content.ts'
import { rootOf, sourceBytes } from '../../snapshot/manifest.ts'
import type { CommandContext } from '../context.ts'
import { hostOf } from '../host.ts'
import type { Reader } from '../reader.ts'
import { Completion } from '../restore/completion.ts'
import type { RestoreProgress } from '../restore/restore-progress.ts'
import { Restorer } from '../restore/restorer.ts'
import { selectPaths } from '../restore/selection.ts'
import { openTarget } from '../restore/target.ts'
import { isUnchanged, isWhole, type Chunks } from './compare.ts'
import { sampleFiles, type DrillSnapshot, type SampledFile, type SampleOptions } from './sample.ts'

interface DrillParts {
  readonly job: Pick<DrillJob, 'host'>
  readonly context: CommandContext
  /** Knows nothing but what the storage told since the drill began. */
  readonly reader: Reader
  readonly progress: RestoreProgress
  /** What the restore said of single files, by their paths as they are shown. */
  readonly told: ReadonlyMap<string, string>
  /** Of catalogs and notes, for this drill alone. */
  readonly home: string
  readonly folder: string
}

/** What a drill came to. */
export interface Tried {
  files: number
  bytes: number
  compared: number
  failed: number
  /** Sources that seem unchanged and are not what was stored. */
  differing: number
  readonly problems: Problem[]
}

/** Takes a sample, restores it and compares it, snapshot by snapshot. */
export class DrillRun {
  readonly #parts: DrillParts
  readonly #hasher: BlobHasher
  readonly #tried: Tried = { files: 0, bytes: 0, compared: 0, failed: 0, differing: 0, problems: [] }

  constructor(parts: DrillParts) {
    this.#parts = parts
    this.#hasher = new BlobHasher(parts.reader.repository.keys.blobId)
  }

  /** Errors: those of the storage and of this machine's disk; what is damaged counts as failed. */
  async run(snapshots: readonly DrillSnapshot[], options: Omit<SampleOptions, 'onDamage'>): Promise<Tried> {
    const { reader, progress, context: { signal } } = this.#parts
    const onDamage: SampleOptions['onDamage'] = (snapshot, path, error) => { this.#fail(snapshot, `${path}/`, `the folder cannot be read: ${error.message}`) }
    const files = await sampleFiles(reader.trees.load, snapshots, { ...options, onDamage }, signal)
    progress.totalBytes = files.reduce((sum, { size }) => sum + size, 0)
    for (const [at, [snapshot, ofSnapshot]] of [...Map.groupBy(files, ({ snapshot }) => snapshot)].entries()) {
      const folder = join(this.#parts.folder, String(at))
      await this.#restore(snapshot, ofSnapshot, folder)
      progress.phase('verifying')
      for (const file of ofSnapshot) await this.#compare(file, folder)
    }
    return this.#tried
  }

  async #restore(snapshot: DrillSnapshot, files: readonly SampledFile[], folder: string): Promise<void> {
    const { context, reader, progress, home } = this.#parts
    const root = rootOf(snapshot.manifest)
    const selection = await selectPaths(reader.trees.load, root, files.map(({ path }) => toBytes(path)))
    await using target = await openTarget(folder, reader.repository.keys)
    const completion = await Completion.begin(home, target.path, ['drill'])
    using restorer = new Restorer({ job: { overwrite: 'never' }, context, reader, target, progress, completion, label: '', earlier: [] })
    await restorer.run(root, selection)
    progress.expectSomething(folder)
  }

  async #compare(file: SampledFile, folder: string): Promise<void> {
    const { context: { pauseGate, signal }, told } = this.#parts
    await pauseGate.pass(signal)
    this.#tried.files++
    this.#tried.bytes += file.size
    if (!await this.#isRestored(file, folder)) {
      this.#fail(file.snapshot, file.path, told.get(toShown(file.path)) ?? 'what was restored is not what was stored')
      return
    }
    const source = this.#sourceOf(file)
    if (source === undefined || !await isUnchanged(source, file)) return
    const isSame = await this.#isSame(source, file)
    // Whoever changed it meanwhile explains the difference.
    if (isSame === undefined || !await isUnchanged(source, file)) return
    this.#tried.compared++
    if (isSame) return
    this.#tried.differing++
    this.#tried.problems.push({ code: 'changed', path: toShown(source), message: `has the size and times of ${this.#nameOf(file.snapshot, file.path)}, and other content: one of the two went bad, or was changed without a trace` })
  }

  async #isRestored(file: SampledFile, folder: string): Promise<boolean> {
    try {
      return await isWhole(`${fromText(folder)}/${file.path}`, this.#chunks(file), this.#hasher, this.#parts.context.signal)
    } catch (error) {
      if (hasCode(error, 'damaged', 'not-found') || errnoOf(error) === 'ENOENT') return false
      throw error
    }
  }

  /** Undefined where the source cannot be read. */
  async #isSame(source: ByteString, file: SampledFile): Promise<boolean | undefined> {
    try {
      return await isWhole(source, this.#chunks(file), this.#hasher, this.#parts.context.signal)
    } catch (error) {
      if (errnoOf(error) === undefined) throw error
      return undefined
    }
  }

  async *#chunks({ content }: SampledFile): Chunks {
    const { reader } = this.#parts
    for await (const id of chunkIds(reader.trees.load, content)) yield { id, length: reader.catalog.locate(id)?.length ?? 0 }
  }

  /** Where this machine has the file from; undefined for another's. */
  #sourceOf({ snapshot: { manifest }, path }: SampledFile): ByteString | undefined {
    if (manifest.host !== hostOf(this.#parts.job)) return undefined
    const slash = path.indexOf('/')
    const name = slash < 0 ? path : path.slice(0, slash)
    const source = manifest.sources.map(sourceBytes).find((each) => fromBytes(each.name) === name)
    return source && `${fromBytes(source.path)}${slash < 0 ? '' : path.slice(slash)}`
  }

  #fail(snapshot: DrillSnapshot, path: ByteString, message: string): void {
    this.#tried.failed++
    this.#tried.problems.push({ code: 'damaged', path: this.#nameOf(snapshot, path), message })
  }

  #nameOf({ manifest, ref }: DrillSnapshot, path: ByteString): string {
    return `${snapshotId(manifest, ref)}: ${toShown(path)}`
  }
}
