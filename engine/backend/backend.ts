import type { SpaceLeft } from '../protocol/space.ts'

/**
 * Storage of whole, immutable objects. A backend knows nothing of blobs, keys or formats.
 *
 * Names are `/`-separated, relative, of `[a-z0-9./_-]`, without `.` or `..` segments (see name.ts).
 * Every method rejects with a HoldfastError; `aborted` as soon as the signal fires (within a second at most).
 * Aborted at entry means that nothing was written.
 */
export interface StorageBackend extends AsyncDisposable {
  /** For logs and the window, e.g. `s3://bucket/prefix at host`. Holds no credentials. */
  readonly label: string
  readonly traits: BackendTraits
  /**
   * Stores the whole object or nothing under its final name. Repeating is safe for the caller only where the protocol says so
   * (packs take a fresh name per attempt). With `ifAbsent`, rejects with `exists` when the name is taken; without, replaces.
   * Errors: exists, denied, credentials, full, throttled, offline, unavailable, unsupported (ifAbsent where it cannot be done).
   */
  put(name: ObjectName, body: Body, options: PutOptions, signal: AbortSignal): Promise<void>
  /**
   * The bytes asked for, which are the caller's from now on: never fewer (`damaged` when the object ends before the range does). `all` refuses objects of more
   * than `maximumWholeBytes` (`damaged`), so that a hostile storage cannot fill the memory. Errors: not-found, …
   */
  get(name: ObjectName, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array>
  /** Errors: not-found, … */
  stat(name: ObjectName, signal: AbortSignal): Promise<ObjectInfo>
  /**
   * Every object whose name begins with `prefix` (a folder prefix ends in `/`), each once, ascending by name unless `traits.listing` says
   * otherwise. Unfinished uploads never appear, nor does what is not an object name (files of strangers).
   */
  list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo>
  /** Removing what is not there succeeds. */
  remove(name: ObjectName, signal: AbortSignal): Promise<void>
  /** Whether a put of this name was interrupted and would be continued: then it is still the same attempt (rule R5). Absent: never. Asks no storage. */
  continues?(name: ObjectName): boolean
  /** Clears away what uploads left behind that nobody continued for `olderThanMs`; resolves to how many. Absent: never any. */
  abortStaleUploads?(olderThanMs: number, signal: AbortSignal): Promise<number>
  /**
   * A folder below `traits.stagingFolder` for an owner of `[a-z0-9-]`, or the common one (''), made when missing. To be asked for
   * anew in each run: what is on the way to it is looked at then. Undefined or absent: there is none. Errors: denied, full, damaged, offline.
   */
  openStaging?(owner: string, signal: AbortSignal): Promise<StagingFolder | undefined>
  /**
   * Finds out whether a repository could be made here, without a trace. False or absent: only storing tells. Errors: denied, full,
   * offline, arguments (other things are here).
   */
  tryWriting?(signal: AbortSignal): Promise<boolean>
  /** What the server proved itself with, as people compare it (`ssh-ed25519 SHA256:…`); undefined until it was spoken to. Absent: nothing to compare. */
  serverKey?(): string | undefined
  /** What is left for this account, as the storage says; undefined where it does not. Absent: it never does. Errors: those of the storage. */
  space?(signal: AbortSignal): Promise<SpaceLeft | undefined>
}

/** Where files are made that `put` then moves into place. */
export interface StagingFolder {
  readonly path: string
  /** Files in it that were staged earlier, by their names; nothing that is not ours. */
  readonly names: readonly string[]
  /** Removes one of them; what is no staged file stays. */
  remove(name: string): Promise<void>
}

/** The largest object that `get` reads as a whole: what no object but packs exceeds (64 MiB sealed), and its seal. */
export const maximumWholeBytes = 65 * 1024 * 1024

/**
 * Asks for leave to move that many more bytes of a transfer; backends call it for slices of at most `paceSliceBytes`, so that
 * a bandwidth limit holds within a transfer and not only between transfers. `undefined`: at once.
 */
export type Pace = (bytes: number) => Promise<void> | undefined

/** What a client of a storage asks before each of its requests, and tells afterwards. */
export interface RequestPause {
  /** Waits until requests may go out. Errors: throttled (the storage asks for more than the run's patience), aborted. */
  pass(signal: AbortSignal): Promise<void>
  /** A request failed: if the storage wants to be left alone, all wait, and others who use the account are told. */
  heed(error: unknown): void
}

export const paceSliceBytes = 64 * 1024

export type ObjectName = string

export interface ObjectInfo {
  readonly name: ObjectName
  readonly size: number
  /** As the storage says, ms since 1970; a hint for liveness, never for safety. */
  readonly modifiedMs: number
}

export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/** What `put` stores: bytes in memory (small objects) or a complete local file (packs). */
export type Body =
  | { readonly type: 'bytes'; readonly bytes: Uint8Array }
  | {
      readonly type: 'file'
      /** A closed, complete, immutable local file. */
      readonly path: string
      readonly size: number
      /** CRC-32 of the whole file, for storages that check it. */
      readonly crc32: number
    }

export interface PutOptions {
  readonly ifAbsent?: boolean
  /** The retry wrapper leaves this put alone: the caller repeats it under another name (packs, rule R5). */
  readonly once?: boolean
  /** Bytes of this object handed to the storage so far (all acknowledged once `put` resolves); may fall back when a part is sent again. */
  readonly onProgress?: (sentBytes: number) => void
  readonly pace?: Pace
  /** 1 for the first try; only shown. */
  readonly attempt?: number
}

/** How a storage lists. */
export interface Listing {
  /** `any`: wrappers/sorted-lists.ts sorts on disk, so that whoever reads a list gets it ascending all the same. */
  readonly order: 'ascending' | 'any'
  /** What a list of a prefix costs: what it shows (`prefix`), or all that is below the prefix's folder (`folder`). Then nobody splits a list. */
  readonly cost: 'prefix' | 'folder'
}

/** Far: bytes read are paid for or waited for (the internet). Near: a disk, or a server next to it. */
export type Distance = 'near' | 'far'

export interface BackendTraits {
  /** Hard maximum of concurrent transfers that the provider bears. */
  readonly maxConnections: number
  /** False: it cannot be done here. True: it may; a repository rests on it only after `probeBackend` (probe.ts) saw it work. */
  readonly exclusiveCreate: boolean
  /** An interrupted `put` of a file is continued by a later `put` of the same name and file. */
  readonly resumable: boolean
  readonly distance: Distance
  readonly listing: Listing
  /** The largest object that one put can store, in bytes: at least `maximumWholeBytes`, or the storage bears no repository. */
  readonly largestPut: number
  /** Two processes with the same account share one cap (A3): e.g. `s3:host:key-id`, `local:/dev/sda1`. No secrets. */
  readonly account: string
  /** True: what is sent and received is not encrypted on a network (http:// beyond this machine). */
  readonly readableOnTheWay?: boolean
  /**
   * A folder on the same file system as the objects: a file body from there is moved into place instead of copied.
   * Reached through `openStaging`. Whoever stages files there also clears them away. Absent on remote storages.
   */
  readonly stagingFolder?: string
}

/** Remembers unfinished uploads across processes; kept in the catalog. Entries are small JSON values of the backend's own. */
export interface UploadJournal {
  get(name: ObjectName): string | undefined
  set(name: ObjectName, state: string): void
  delete(name: ObjectName): void
}
