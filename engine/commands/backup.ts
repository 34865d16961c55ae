import { userInfo } from 'node:os'
import type { StorageBackend } from '../backend/backend.ts'
import { fromText, type ByteString } from '../base/byte-string.ts'
import { toHex } from '../base/bytes.ts'
import { hasCode } from '../base/errors.ts'
import { version } from '../base/version.ts'
import { writeIndexes } from '../pipeline/index-writer.ts'
import { Tally } from '../pipeline/tally.ts'
import type { UnusualReason } from '../protocol/changes.ts'
import type { BackupJob } from '../protocol/job.ts'
import type { RunSummary } from '../protocol/progress.ts'
import type { SpaceOutlook } from '../protocol/space.ts'
import { shellWord } from '../protocol/shell-word.ts'
import { forecast } from '../snapshot/space.ts'
import { SpaceSamples } from '../catalog/space-samples.ts'
import { systemRandom } from '../repository/crypto.ts'
import { parseRevisionKey, type SnapshotRef } from '../repository/protocol/names.ts'
import { saveMachine } from '../repository/protocol/machines.ts'
import { readDecision, snapshotId } from '../repository/protocol/snapshots.ts'
import type { LastSnapshot } from '../catalog/last-snapshot.ts'
import type { Reached } from '../catalog/run-journal.ts'
import { localTimeZone } from '../snapshot/local-time.ts'
import type { Manifest } from '../snapshot/manifest.ts'
import type { BlobId } from '../snapshot/node.ts'
import { systemDisk, type Disk } from '../source/disk.ts'
import type { SurveyRequest } from '../source/survey.ts'
import { Surveyor } from '../source/surveyor.ts'
import { BackupProgress } from './backup/backup-progress.ts'
import { Expectation } from './backup/expectation.ts'
import { Machine } from './backup/machine.ts'
import { neverStored, openBackup, type OpenBackup } from './backup/open-backup.ts'
import { Passes } from './backup/passes.ts'
import { checkPatterns } from './backup/patterns.ts'
import { Room } from './backup/room.ts'
import { SessionKeeper } from './backup/session-keeper.ts'
import { endDeadSessions } from './backup/dead-sessions.ts'
import type { WalkSource } from '../pipeline/walk-types.ts'
import { expectSources, findSources, manifestSources, nameSources, sourceDevices } from './backup/sources.ts'
import { judgeRun, unusualWords } from './backup/unusual.ts'
import { SampleVerification } from './backup/verify.ts'
import type { CommandContext } from './context.ts'
import { takeInAfterBackup } from './names/after-backup.ts'
import { RunFailed } from './failure.ts'

/**
 * Stores the sources as a new snapshot of the job. A run that finds nothing changed since the job's last snapshot makes no new one
 * and writes nothing to the storage: its outcome is `unchanged`, and its summary names the snapshot that still holds. What could not be
 * read is in the summary as problems; where the snapshot before has such a file, the new one keeps that version.
 * Errors: RunFailed once the repository is open (with outcome `partial` when something was stored), else those of openBackup, and
 * arguments, source-missing.
 */
export async function backup(job: BackupJob, context: CommandContext, disk: Disk = systemDisk): Promise<RunSummary> {
  const tally = new Tally((problem) => {
    context.log.with({ file: problem.path }).write('warning', problem.message)
    context.events.problem(problem)
  })
  const startedMs = context.clock.now()
  using progress = new BackupProgress(context, tally)
  const warn = (words: string): void => { context.log.write('warning', words) }
  const found = findSources(job.sources, disk, warn)
  checkPatterns(job.excludes.patterns, found.map(({ given }) => given), warn)
  await using opened = await openBackup(job, { ...context, meter: progress.meter })
  const known = opened.catalog.lastSnapshot.of(opened.host)?.sources ?? []
  const sources = nameSources(found, new Map(known.map(({ path, name }) => [path, name])))
  const run = new BackupRun({ job, context, opened, tally, progress, sources, disk, startedMs })
  return await run.run()
}

interface RunParts {
  readonly job: BackupJob
  readonly context: CommandContext
  readonly opened: OpenBackup
  readonly tally: Tally
  readonly progress: BackupProgress
  readonly sources: readonly WalkSource[]
  readonly disk: Disk
  readonly startedMs: number
}

/** How a run ended, but for what it reads back. */
interface End {
  /** False: nothing was written. */
  readonly changed: boolean
  readonly snapshot: string | undefined
}

/** One run over an opened repository. */
class BackupRun {
  readonly #parts: RunParts
  readonly #keeper: SessionKeeper
  readonly #room: Room
  readonly #devices: ReadonlyMap<ByteString, bigint>
  /** How far the interrupted run had come that this one continues. */
  #before: Reached | undefined
  #verifiedBytes: number | undefined
  #unusual: readonly UnusualReason[] = []
  #space: SpaceOutlook | undefined
  /** The snapshot that was made, and the one before it. */
  #made: { readonly made: LastSnapshot; readonly before: LastSnapshot | undefined } | undefined

  constructor(parts: RunParts) {
    const { repository, catalog, jobKey, memory, host } = parts.opened
    const { clock, log } = parts.context
    this.#parts = parts
    this.#room = new Room({ storage: parts.opened.storage, context: parts.context, waitingBytes: () => parts.tally.byteCounters().waiting })
    this.#devices = sourceDevices(parts.sources, parts.disk)
    this.#keeper = new SessionKeeper({ repository, catalog, home: parts.job.home, jobKey, memory, host, clock, log, random: systemRandom, dryRun: parts.job.dryRun })
  }

  async run(): Promise<RunSummary> {
    const { catalog, host } = this.#parts.opened
    const last = catalog.lastSnapshot.of(host)
    using expectation = this.#expect(last)
    this.#parts.progress.expectation = expectation
    this.#parts.progress.phase('working')
    try {
      return await this.#store(last)
    } catch (error) {
      const summary = this.#summary(this.#parts.opened.storage.traffic.uploadedBytes > 0 && this.#parts.tally.bytes.uploaded > 0 ? 'partial' : 'failed', undefined)
      throw new RunFailed(error, summary)
    }
  }

  async #store(last: LastSnapshot | undefined): Promise<RunSummary> {
    const { job, context, opened, tally } = this.#parts
    await using machine = new Machine(job, context, opened, { tally, room: this.#room, leftBytes: this.#leftBytes, recordReached: this.#recordReached })
    const verification = job.verify === false || job.dryRun ? undefined : new SampleVerification({ opened, context, machine, tally })
    try {
      const passes = new Passes({ ...this.#parts, machine, keeper: this.#keeper, entering: (signal) => this.#expectRoom(signal), entered: () => { verification?.begin() } })
      this.#parts.opened.catalog.trees.beginRun()
      const unverified = await this.#passAndCommit(machine, passes, last)
      return await this.#verified(unverified, verification)
    } catch (error) {
      const cause = machine.failure ?? error
      await machine.stop(error)
      throw cause
    } finally {
      await verification?.stop()
      await this.#keeper.stop()
    }
  }

  async #passAndCommit(machine: Machine, passes: Passes, last: LastSnapshot | undefined): Promise<End> {
    const { progress, opened: { catalog, repository } } = this.#parts
    const { signal } = machine
    for (;;) {
      const root = await passes.run()
      expectSources(this.#devices, this.#parts.disk)
      passes.tellUnmatched()
      progress.expectation?.end()
      if (!this.#keeper.isOpen && last && toHex(root) === last.root) {
        if (await this.#stillStands(last, signal)) return await this.#unchanged(last, signal)
        passes.distrust(root)
        await this.#keeper.open(signal)
        continue
      }
      progress.phase('finishing')
      await machine.flush()
      await this.#judge(passes, signal)
      if (this.#parts.job.dryRun) return { changed: true, snapshot: undefined }
      if (await this.#keeper.mustRedo(signal)) {
        passes.distrust(root)
        continue
      }
      await this.#keeper.acknowledge(signal)
      await writeIndexes(repository, catalog, systemRandom, signal)
      const commit = await this.#keeper.commit(() => this.#manifest(root, last), signal)
      if (commit.type === 'committed') return this.#committed(commit.ref, root, passes, last)
      passes.distrust(root)
    }
  }

  /** What is left after the run, and for how long: nothing that a run would fail for. */
  async #outlook(): Promise<SpaceOutlook | undefined> {
    const { job, context, opened: { repository } } = this.#parts
    const left = await this.#room.ask(context.signal)
    if (!left) return undefined
    const nowMs = context.clock.now()
    const samples = new SpaceSamples(job.home, repository.config.repositoryId)
    const all = await samples.add(left, nowMs).catch((error: unknown) => {
      context.log.write('info', `What the storage has left is not remembered: ${String(error)}`)
      return samples.all()
    })
    return { ...left, ...forecast(all, nowMs) }
  }

  /** Errors: `full`, before anything is written. */
  async #expectRoom(signal: AbortSignal): Promise<void> {
    const { job, opened, sources } = this.#parts
    if (job.dryRun) return
    await this.#room.require(signal)
    if (!this.#room.left || this.#before || opened.catalog.lastSnapshot.of(opened.host) || await holdsPacks(opened.repository.backend, signal)) return
    await this.#room.requireAll(sources.map(({ path }) => path), async () => {
      using surveyor = new Surveyor(this.#surveyed)
      return await surveyor.finished(signal)
    })
  }

  get #surveyed(): SurveyRequest {
    const { job, sources, opened } = this.#parts
    return { sources: sources.map((source) => source.path), rules: job.excludes, never: neverStored(job, opened) }
  }

  async #judge(passes: Passes, signal: AbortSignal): Promise<void> {
    const { job, opened, sources, tally } = this.#parts
    this.#unusual = await judgeRun({ changes: tally.changes.changes, changedSources: passes.changedSources, sources: sources.length }, opened, signal)
    if (this.#unusual.length === 0) return
    tally.problem('unusual-change', fromText(job.name), `This backup is unusual. ${unusualWords(this.#unusual)} If that is as it should be, say so: holdfast acknowledge ${shellWord(job.name)}. Until then it and all that is older stay.`)
  }

  #expect(last: LastSnapshot | undefined): Expectation {
    const { journal } = this.#parts.opened.catalog
    this.#before = journal.reached ?? (journal.isEmpty ? undefined : { doneBytes: 0 })
    if (this.#before?.changes) this.#parts.tally.changes.carry(this.#before.changes)
    const isFar = this.#parts.opened.storage.backend.traits.distance === 'far'
    return new Expectation({ lastBytes: last?.bytes, interrupted: this.#before, survey: () => new Surveyor(this.#surveyed), ...(isFar ? { surveyAfterMs: 0 } : {}) })
  }

  readonly #leftBytes = (takenBytes: number): number | undefined => {
    const { tally: { bytes }, progress } = this.#parts
    return progress.expectation?.leftBytes(bytes.found, bytes.unchanged + bytes.deduplicated + bytes.dropped + takenBytes)
  }

  /** How far the run has come, for the run that would have to continue it. */
  readonly #recordReached = (): void => {
    const { tally, progress, opened } = this.#parts
    const totalBytes = progress.expectation?.totalBytes(tally.bytes.found) ?? this.#before?.totalBytes
    const doneBytes = Math.max(tally.doneBytes, this.#before?.doneBytes ?? 0)
    if (doneBytes === 0) return
    opened.catalog.journal.setReached({ doneBytes, changes: tally.changes.readSoFar, ...(totalBytes === undefined ? {} : { totalBytes }) })
  }

  /** Nothing was written, so nothing is but the run's record, and once a day what is there is looked after. */
  async #unchanged(last: LastSnapshot, signal: AbortSignal): Promise<End> {
    const { job, context: { log }, opened: { catalog, repository } } = this.#parts
    if (!job.dryRun) await endDeadSessions({ repository, catalog, log }, signal)
    catalog.journal.clear()
    return { changed: false, snapshot: last.id }
  }

  async #verified({ changed, snapshot }: End, verification: SampleVerification | undefined): Promise<RunSummary> {
    const { job, progress } = this.#parts
    if (!job.dryRun) progress.phase('verifying')
    await this.#keepSettings()
    this.#verifiedBytes = await verification?.finish(!changed)
    if (!job.dryRun && (changed || this.#parts.opened.storage.backend.traits.distance === 'near')) this.#space = await this.#outlook()
    if (this.#made) await this.#takeInNames(this.#made)
    return this.#summary(changed || this.#parts.tally.problemCount > 0 ? this.#outcome() : 'unchanged', snapshot)
  }

  /** So that another machine can take this one's place. What cannot be kept is a warning: files are what a backup is for. */
  async #keepSettings(): Promise<void> {
    const { job, context, opened } = this.#parts
    if (job.machineSettings === undefined || job.dryRun) return
    try {
      const machine = { host: opened.host, user: userName(), program: `Holdfast ${version}`, savedMs: context.clock.now(), settings: job.machineSettings }
      await saveMachine(opened.repository, machine, systemRandom, context.signal)
    } catch (error) {
      if (context.signal.aborted) throw error
      context.log.write('warning', `The settings of this machine could not be kept in the repository: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #takeInNames(made: { readonly made: LastSnapshot; readonly before: LastSnapshot | undefined }): Promise<void> {
    const { job, context, opened, startedMs } = this.#parts
    await takeInAfterBackup({ ...made, job: job.name, home: job.home, opened, elapsedMs: context.clock.now() - startedMs }, context)
  }

  /** The last snapshot may have been forgotten or damaged meanwhile. */
  async #stillStands(last: LastSnapshot, signal: AbortSignal): Promise<boolean> {
    const { repository, jobKey } = this.#parts.opened
    const ref = parseRevisionKey(jobKey, last.id.slice(last.id.lastIndexOf('@') + 1))
    if (ref === undefined) return false
    try {
      return (await readDecision(repository, ref, signal))?.type === 'manifest'
    } catch (error) {
      if (hasCode(error, 'damaged')) return false
      throw error
    }
  }

  #committed(ref: SnapshotRef, root: BlobId, passes: Passes, before: LastSnapshot | undefined): End {
    const { catalog, host } = this.#parts.opened
    const id = snapshotId({ job: this.#parts.job.name, host }, ref)
    const { files, bytes } = this.#parts.tally
    const made = { id, host, revision: ref.revision, root: toHex(root), finishedMs: this.#parts.context.clock.now(), files: files.found, bytes: bytes.found, sources: passes.records }
    catalog.transaction(() => {
      catalog.lastSnapshot.set(made, { inherit: passes.inherited })
      catalog.journal.clear()
      catalog.trees.endRun()
    })
    this.#made = { made, before }
    return { changed: true, snapshot: id }
  }

  #outcome(): RunSummary['outcome'] {
    return this.#parts.tally.problemCount > 0 ? 'warnings' : 'success'
  }

  #manifest(root: BlobId, last: LastSnapshot | undefined): Manifest {
    const { files, bytes, directories, others, problemCount, changes: { changes } } = this.#parts.tally
    return {
      version: 1, job: this.#parts.job.name, host: this.#parts.opened.host, user: userName(), sources: manifestSources(this.#parts.sources), root: toHex(root),
      startedMs: this.#parts.startedMs, finishedMs: this.#parts.context.clock.now(), timeZone: localTimeZone(),
      counters: { files: files.found - files.dropped, directories, others, bytes: bytes.found - bytes.dropped, uploadedBytes: this.#parts.opened.storage.traffic.uploadedBytes },
      program: `Holdfast ${version}`, problems: problemCount,
      ...(changes ? { changes } : {}), ...(this.#unusual.length > 0 ? { unusual: this.#unusual } : {}),
      ...(last ? { parent: last.id } : {}),
    }
  }

  #summary(outcome: RunSummary['outcome'], snapshot: string | undefined): RunSummary {
    const { traffic } = this.#parts.opened.storage
    return {
      operation: 'backup', outcome, startedMs: this.#parts.startedMs, finishedMs: this.#parts.context.clock.now(), files: this.#parts.tally.fileCounters(), bytes: this.#parts.tally.byteCounters(),
      uploadedBytes: traffic.uploadedBytes, downloadedBytes: traffic.downloadedBytes, adoptedPacks: this.#keeper.adoptedPacks,
      problems: this.#parts.tally.problemCount, firstProblems: this.#parts.tally.firstProblems, notes: this.#parts.tally.notes, repositoryId: this.#parts.opened.repository.config.repositoryId,
      ...(this.#parts.job.known ? { known: this.#parts.opened.memory.export() } : {}),
      ...(snapshot === undefined ? {} : { snapshot }), ...(this.#space ? { space: this.#space } : {}), ...(this.#unusual.length > 0 ? { unusual: this.#unusual } : {}),
      ...(this.#verifiedBytes === undefined ? {} : { verifiedBytes: this.#verifiedBytes }),
    }
  }
}

/** Whether anything was ever stored: then nobody can tell how much of what comes is there already. */
async function holdsPacks(backend: StorageBackend, signal: AbortSignal): Promise<boolean> {
  for await (const _pack of backend.list('packs/', signal)) return true
  return false
}

/** A container may run as a user that has no name. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return String(process.getuid?.() ?? '')
  }
}
