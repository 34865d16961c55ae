import * as v from 'valibot'
import { fromHex } from '../base/bytes.ts'
import { HoldfastError } from '../base/errors.ts'
import { changesSchema, unusualSchema, type Changes, type UnusualReason } from '../protocol/changes.ts'
import type { BlobId } from './node.ts'
import { originSchema, syncedJobName, type Origin } from './origin.ts'

/** What a committed snapshot says about itself: a plain JSON value. Times in ms since 1970, sizes in bytes. */
export interface Manifest {
  /** 2 where it says an origin: programs that know no origins shall refuse it by its version. */
  readonly version: 1 | 2
  /** Name of the job, as people know it. */
  readonly job: string
  readonly host: string
  readonly user: string
  /** Entries of the root directory and where they came from. */
  readonly sources: readonly ManifestSource[]
  /** Tree blob of the root directory, 64 hex digits. */
  readonly root: string
  readonly startedMs: number
  readonly finishedMs: number
  /** IANA name of the zone in which it was made; what retention calls a day is a day there. */
  readonly timeZone: string
  readonly counters: ManifestCounters
  /** Name and version of the program that wrote it. */
  readonly program: string
  /** The snapshot that this run compared with, `JOB@REV`. */
  readonly parent?: string
  /** Files and folders that are missing or doubtful in it. */
  readonly problems: number
  /** Of a snapshot that a sync has brought here; all else but the root is as it was there. */
  readonly origin?: Origin
  /** How it differs from the snapshot of this job and host before it. Absent where there was none, or its version did not count. */
  readonly changes?: Changes
  /** Why that is unusual. Absent: it is not. */
  readonly unusual?: readonly UnusualReason[]
}

/** Exact bytes in base64, as JSON has only text. */
export interface ManifestSource {
  readonly name: string
  readonly path: string
}

interface ManifestCounters {
  readonly files: number
  readonly directories: number
  /** Symbolic links and FIFOs. */
  readonly others: number
  /** Sum of the files' sizes. */
  readonly bytes: number
  /** Bytes that the run sent to the storage. */
  readonly uploadedBytes: number
}

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const time = v.pipe(v.number(), v.finite())
const text = v.pipe(v.string(), v.maxLength(4096))
const bytes = v.pipe(v.string(), v.maxLength(16_384), v.base64())

const entries = {
  job: text,
  host: text,
  user: text,
  sources: v.pipe(v.array(v.strictObject({ name: bytes, path: bytes })), v.maxLength(10_000)),
  root: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
  startedMs: time,
  finishedMs: time,
  timeZone: v.pipe(v.string(), v.maxLength(255)),
  counters: v.strictObject({ files: count, directories: count, others: count, bytes: count, uploadedBytes: count }),
  program: text,
  parent: v.exactOptional(text),
  problems: count,
  changes: v.exactOptional(changesSchema),
  unusual: v.exactOptional(unusualSchema),
}

const manifestSchema = v.variant('version', [
  v.strictObject({ version: v.literal(1), ...entries }),
  v.strictObject({ version: v.literal(2), ...entries, origin: originSchema }),
])

const versionSchema = v.object({ version: v.pipe(v.number(), v.integer()) })

/**
 * A manifest out of parsed JSON.
 * @param what names the object in errors.
 * @throws version for a manifest that a newer program wrote, damaged
 */
export function parseManifest(value: unknown, what: string): Manifest {
  const parsed = v.safeParse(manifestSchema, value)
  if (parsed.success) return parsed.output
  const version = v.safeParse(versionSchema, value)
  const data = { object: what }
  if (version.success && ![1, 2].includes(version.output.version)) throw new HoldfastError('version', `${what} holds a manifest of version ${version.output.version}; this program knows versions 1 and 2.`, { data })
  throw new HoldfastError('damaged', `${what} is damaged: its manifest is not what this version writes.`, { data })
}

export function manifestSource(name: Uint8Array, path: Uint8Array): ManifestSource {
  return { name: Buffer.from(name).toString('base64'), path: Buffer.from(path).toString('base64') }
}

/** Exact bytes of a source's entry name and of the absolute path that it came from. */
export function sourceBytes(source: ManifestSource): { readonly name: Uint8Array; readonly path: Uint8Array } {
  return { name: Buffer.from(source.name, 'base64'), path: Buffer.from(source.path, 'base64') }
}

/** The job name that its session had: the job's own, or that of the synced group. */
export function sessionJobName({ job, host, origin }: Pick<Manifest, 'job' | 'host' | 'origin'>): string {
  return origin ? syncedJobName({ repository: origin.repository, host, job }) : job
}

export function rootOf(manifest: Manifest): BlobId {
  return fromHex(manifest.root)
}

