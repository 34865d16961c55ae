import type { KnownRepository } from './known.ts'
import type { OverwriteRule } from './restore-rules.ts'

/** One run of one use case, as an engine process (or the command line) gets it. Holds no secrets. */
export type EngineJob = BackupJob | RestoreJob | CheckJob | ForgetJob | PruneJob | CareJob | DrillJob | RebuildJob | BrowseJob | ServeJob | WatchJob | TestJob | SyncJob

interface JobBase {
  /** Address of the repository, see engine/backend/open.ts. Never with credentials in it. */
  readonly repository: string
  /** Folder of catalogs and spools (HOLDFAST_HOME). */
  readonly home: string
  /** Transfers at a time that the user wants; the backend's cap may be lower. */
  readonly concurrency: number
  /** How long to wait for a storage that is away before the run fails, in ms. Default 15 min. */
  readonly patienceMs?: number
  /** Refuse another repository at the address (the id that `test` or an earlier run returned). */
  readonly expectRepositoryId?: string
  /** What its sender knows of the repository, beside what HOLDFAST_HOME does; of another repository than that at the address it says nothing. */
  readonly known?: KnownRepository
  /** The repository may lack what this machine has seen in it: what is there counts as the newest from now on. */
  readonly acceptOlderRepository?: boolean
  /** The repository may be another one than this machine has seen at the address. */
  readonly acceptOtherRepository?: boolean
  /** The machine's name in snapshots, where it is not the system's: 1–255 characters. */
  readonly host?: string
}

export interface BackupJob extends JobBase {
  readonly type: 'backup'
  /** Unique per machine, part of every snapshot id: 1–64 of letters, digits, space, `._-`. */
  readonly name: string
  /** Absolute paths. One that is a symbolic link stands for its target. */
  readonly sources: readonly SourcePath[]
  readonly excludes: ExcludeRules
  readonly dryRun: boolean
  /**
   * Stores the sources as they are now. Otherwise one that is suddenly empty, or on another disk than before, keeps its last stored version, and
   * the run warns.
   */
  readonly acceptChangedSources?: boolean
  /** What happens to uploads in flight when the run fails or is stopped. */
  readonly onFailure: 'drain' | 'cancel'
  /** Create the repository when there is none at the address. */
  readonly create?: boolean
  /** Sample verification after the run (engine/commands/backup/verify.ts). Default true. */
  readonly verify?: boolean
  /** What this machine needs to come back, kept in the repository for an import elsewhere: JSON without secrets, at most 1,000,000 characters. */
  readonly machineSettings?: string
}

/** Text for a path that is UTF-8; any path as exact bytes. */
export type SourcePath = string | Uint8Array

export interface ExcludeRules {
  /** gitignore syntax, relative to each source. */
  readonly patterns: readonly string[]
  readonly presets: readonly ExcludePreset[]
  readonly largerThanBytes?: number
  /** Do not cross into other file systems. */
  readonly oneFileSystem: boolean
}

export type ExcludePreset = 'caches' | 'trash' | 'node_modules' | 'nobackup' | 'cachedir' | 'nodump'

export interface RestoreJob extends JobBase, RestorePart {
  readonly type: 'restore'
  readonly target: RestoreInto
  readonly overwrite: OverwriteRule
  /** Restored after that, in order, in one go. Where an earlier part has another version of a path, a later one's comes beside it, with its snapshot's date in the name. */
  readonly more?: readonly RestorePart[]
}

/** An absolute folder that receives the tree; nothing is ever written outside it. `origins`: each source goes to where it was, if it is one of these absolute paths. */
export type RestoreInto = string | { readonly origins: readonly string[] }

/** What of a snapshot is restored. */
export interface RestorePart {
  /** `JOB@REV`, `latest`, `latest:JOB` or `latest:HOST/JOB`. */
  readonly snapshot: string
  /** Paths inside the snapshot, exact bytes; empty: everything. */
  readonly paths: readonly Uint8Array[]
  /** Paths that are left out, with what is below them, unless a longer one in `paths` takes it in again. */
  readonly except?: readonly Uint8Array[]
  /** Of all that only these, as when what failed is tried again; names are found as if all were restored. */
  readonly only?: readonly Uint8Array[]
}

export interface CheckJob extends JobBase {
  readonly type: 'check'
  /** Percent of the packs to read whole; 0 checks structure and presence only. */
  readonly readDataPercent: number
  readonly repair?: boolean
}

export interface ForgetJob extends JobBase {
  readonly type: 'forget'
  /** Snapshots to forget by id, or a policy over the snapshots of each job on each host. */
  readonly snapshots: readonly string[]
  readonly policy?: RetentionPolicy
  /** Only snapshots of this job; absent: of every job. */
  readonly name?: string
  /** The policy is for the snapshots of all machines, not only for those of this one. */
  readonly allHosts?: boolean
  /** Snapshots that are named are forgotten although they are pinned. A policy never forgets such. */
  readonly pinned?: boolean
  /** The policy also lets go of what is held for an unusual backup that is not acknowledged. */
  readonly despiteUnusual?: boolean
  readonly dryRun: boolean
}

export interface RetentionPolicy {
  readonly last?: number
  readonly hourly?: number
  readonly daily?: number
  readonly weekly?: number
  readonly monthly?: number
  readonly yearly?: number
  /** Everything that is not older than the newest of its job and host by more than this, in ms. */
  readonly withinMs?: number
  /** Bytes that what stays may need in the storage: the oldest go until it fits, but never the newest of a job on a host, the `last` n, or what is pinned or held. */
  readonly budgetBytes?: number
}

export interface PruneJob extends JobBase {
  readonly type: 'prune'
  readonly dryRun: boolean
  /** Also while an unusual backup is not acknowledged. */
  readonly despiteUnusual?: boolean
  /** Packs younger than this are left alone, in ms. Default one day; only spares work, safety does not rest on it. */
  readonly minimumAgeMs?: number
  /** A backup without a sign of life for this long counts as dead, in ms by the storage's clock. Default three days. A backup that is taken for dead by mistake starts a new session and loses nothing. */
  readonly expireAfterMs?: number
}

/** Looks after a repository within a daily budget: forgets, prunes, checks the structure, reads packs back. May run at any time, as often as one likes. */
export interface CareJob extends JobBase {
  readonly type: 'care'
  /** By what snapshots are forgotten first, one after the other; empty: none are. */
  readonly retention: readonly CareRetention[]
  /** Bytes over the network a day, in both directions. Default: engine/commands/care/budget.ts. What is begun is brought to its end; what goes beyond is taken from the next days. */
  readonly budgetBytes?: number
  /** Time a day, in ms; as `budgetBytes`. */
  readonly budgetMs?: number
  /** Forgets and prunes also while an unusual backup is not acknowledged. */
  readonly despiteUnusual?: boolean
  /** As of a prune. */
  readonly minimumAgeMs?: number
  readonly expireAfterMs?: number
}

/** As of a forget. */
export type CareRetention = Pick<ForgetJob, 'name' | 'allHosts'> & { readonly policy: RetentionPolicy }

/** Restores some files by chance, compares them, and keeps the proof in the repository. */
export interface DrillJob extends JobBase {
  readonly type: 'drill'
  /** Only files of this job; absent: of every job. */
  readonly name?: string
  /** Files at most. Default 25. */
  readonly files?: number
  /** Bytes at most, of all files together; larger files are not taken. Default 128 MiB. */
  readonly bytes?: number
  /** What chance goes by, to hold a drill again. Default: random. */
  readonly seed?: string
}

export interface RebuildJob extends JobBase {
  readonly type: 'rebuild'
  readonly name?: string
}

/** Answers queries about snapshots and trees until it is stopped. */
export interface BrowseJob extends JobBase {
  readonly type: 'browse'
}

/** Shows snapshots to programs of this machine, by WebDAV and to read alone, until it is stopped. */
export interface ServeJob extends JobBase {
  readonly type: 'serve'
  /** As of a restore; empty: all, and those that come. */
  readonly snapshots: readonly string[]
  /** On 127.0.0.1; 0: any that is free. */
  readonly port: number
  /** It ends when nobody has asked anything for so long, in ms. Absent: never. */
  readonly idleMs?: number
}

/** Watches the sources of a backup job until it is stopped. Its repository is not opened: changes in it do not count. */
export interface WatchJob extends JobBase, Pick<BackupJob, 'sources' | 'excludes'> {
  readonly type: 'watch'
  /** More absolute paths whose content changes by itself and does not count. */
  readonly quiet: readonly string[]
}

/** Tries the destination: reachable, writable, what it can do, whether a repository is there and the password opens it. */
export interface TestJob extends JobBase {
  readonly type: 'test'
}

/** Copies snapshots from another repository to that of the job, which is the destination. */
export interface SyncJob extends JobBase {
  readonly type: 'sync'
  /** Address of the source. */
  readonly from: string
  /** `HOST/JOB`, with `*` and `?`; empty: every group. */
  readonly groups: readonly string[]
  /** Of each group only the newest so many. */
  readonly last?: number
  /** Forgets at the destination what was forgotten at the source. */
  readonly removeVanished: boolean
  /** Both repositories are the same person's: an unusual backup that is said to be fine at the source is fine at the destination too. */
  readonly carryFine?: boolean
  /** Groups that are copied at once: 1 to 16, each with `concurrency` transfers. */
  readonly parallelGroups: number
  readonly dryRun: boolean
  /** Makes the destination, like the source, where no repository is there yet. */
  readonly create?: boolean
  /** As `expectRepositoryId`, `acceptOlderRepository` and `acceptOtherRepository`, of the source. */
  readonly expectSourceId?: string
  readonly acceptOlderSource?: boolean
  readonly acceptOtherSource?: boolean
}

/** Of all repositories that a job works with: its own first, and the source of a sync. */
export function addressesOf(job: EngineJob): readonly string[] {
  return job.type === 'sync' ? [job.repository, job.from] : [job.repository]
}

/** Travels only in the `start` message (or comes from the environment, a file or a prompt of the command line). */
export interface JobSecrets extends RepositorySecrets {
  /** Of a sync: those of its source. */
  readonly from?: RepositorySecrets
}

export interface RepositorySecrets {
  readonly password: string
  /** By the names of the secrets in the provider's description. */
  readonly storage: Readonly<Record<string, string>>
}
