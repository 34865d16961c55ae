import { realpathSync } from 'node:fs'
import { posix } from 'node:path'
import { HoldfastError } from '../../base/errors.ts'
import { type ByteString, fromBytes, fromText, toBytes, toFilePath, toShown } from '../../base/byte-string.ts'
import type { WalkSource } from '../../pipeline/walk-types.ts'
import type { SourcePath } from '../../protocol/job.ts'
import type { Disk } from '../../source/disk.ts'
import { isSystemPath } from '../../source/system-folders.ts'
import { manifestSource, type ManifestSource } from '../../snapshot/manifest.ts'

/** A source that was named, and where its files are. */
export interface FoundSource {
  /** Absolute, as it was named. */
  readonly given: ByteString
  /** What is walked: `given`, or where it leads as a symbolic link. */
  readonly path: ByteString
}

/** Names that sources have already, by their paths as named. */
export type KnownNames = ReadonlyMap<ByteString, ByteString>

/** As many as a snapshot can tell of. */
const maxSources = 10_000

/**
 * What the paths stand for. A symbolic link that was named is followed, since its target is meant; one folder under two names is stored
 * once, which `note` is told. Errors: `arguments`, also for what the kernel makes up (/proc); `source-missing` when not one can be read.
 */
export function findSources(paths: readonly SourcePath[], disk: Disk, note: (words: string) => void): FoundSource[] {
  if (paths.length === 0) throw new HoldfastError('arguments', 'There is nothing to back up: no source is given.')
  const given = [...new Set(paths.map(absolute))]
  if (given.length > maxSources) throw new HoldfastError('arguments', `A snapshot has at most ${maxSources} sources; ${given.length} are given. Name the folders that they lie in.`)
  const sources = given.map((path) => ({ given: path, path: follow(path, disk) }))
  for (const source of sources) {
    if (isSystemPath(source.path)) throw new HoldfastError('arguments', `${toShown(source.given)} holds what the kernel makes up, not files: it cannot be backed up.`)
  }
  if (!sources.some(({ path }) => disk.stat(path).ok)) {
    throw new HoldfastError('source-missing', `${sources.length === 1 ? 'The source does' : 'The sources do'} not exist or cannot be read: ${sources.map((source) => toShown(source.given)).join(', ')}`)
  }
  return withoutTwins(sources, disk, note)
}

function absolute(path: SourcePath): ByteString {
  const bytes = typeof path === 'string' ? fromText(path) : fromBytes(path)
  if (bytes === '' || bytes.includes('\0')) throw new HoldfastError('arguments', 'The path of a source is empty or holds a zero byte.')
  if (!bytes.startsWith('/') && process.platform !== 'win32') throw new HoldfastError('arguments', `The path of a source is not absolute: ${toShown(bytes)}`)
  return posix.resolve('/', bytes)
}

/** A link that leads nowhere stays what it is: a source that is missing. */
function follow(path: ByteString, disk: Disk): ByteString {
  const stat = disk.stat(path)
  if (!stat.ok || !stat.value.isSymbolicLink()) return path
  try {
    return fromBytes(realpathSync(toFilePath(path), 'buffer'))
  } catch {
    return `${path}/`
  }
}

function withoutTwins(sources: readonly FoundSource[], disk: Disk, note: (words: string) => void): FoundSource[] {
  const kept = new Map<string, FoundSource>()
  // The folder itself goes before links to it, whatever the order of arguments.
  for (const source of sources.toSorted((a, b) => rank(a) - rank(b) || (a.given < b.given ? -1 : 1))) {
    const stat = disk.stat(source.path)
    const key = stat.ok && stat.value.isDirectory() ? `${stat.value.dev}:${stat.value.ino}` : source.given
    const twin = kept.get(key)
    if (twin) note(`${toShown(source.given)} is the same folder as ${toShown(twin.given)}: it is stored once, as the latter.`)
    else kept.set(key, source)
  }
  return [...kept.values()]
}

function rank({ given, path }: FoundSource): number {
  return given === path ? 0 : 1
}

/**
 * The names that sources get in the snapshot's root: the last part of their paths, and where several have the same, with the folder above in
 * brackets. Whatever the order of arguments; a source that has a name keeps it when others come and go.
 */
export function nameSources(sources: readonly FoundSource[], known: KnownNames): WalkSource[] {
  const names = new Map<ByteString, ByteString>()
  for (const { given } of sources) {
    const name = known.get(given)
    if (name !== undefined && !names.has(name)) names.set(name, given)
  }
  const named = new Set(names.values())
  const unnamed = sources.filter(({ given }) => !named.has(given)).toSorted((a, b) => (a.given < b.given ? -1 : 1))
  const times = Map.groupBy(unnamed, ({ given }) => baseOf(given))
  const above = Map.groupBy(unnamed, ({ given }) => withFolder(given))
  for (const { given } of unnamed) {
    const wanted = times.get(baseOf(given))?.length === 1 ? [baseOf(given)] : []
    if (above.get(withFolder(given))?.length === 1) wanted.push(withFolder(given))
    names.set(wanted.find((name) => !names.has(name)) ?? withNumber(given, names), given)
  }
  const byGiven = new Map([...names].map(([name, given]) => [given, name]))
  return sources.map(({ given, path }) => ({ name: byGiven.get(given) ?? given, path, given }))
}

/** What a name in the snapshot may have besides the last part of the path; a restore has to be able to make it. */
const maxBaseBytes = 180

function baseOf(given: ByteString): ByteString {
  return posix.basename(given) || 'root'
}

function withFolder(given: ByteString): ByteString {
  const above = posix.basename(posix.dirname(given))
  return cut(baseOf(given), above === '' ? '' : ` (${cut(above, '')})`)
}

function withNumber(given: ByteString, taken: ReadonlyMap<ByteString, ByteString>): ByteString {
  for (let number = 2; ; number++) {
    const name = cut(withFolder(given), `-${number}`)
    if (!taken.has(name)) return name
  }
}

/** Between two characters of UTF-8. */
function cut(name: ByteString, tail: string): ByteString {
  const limit = maxBaseBytes - tail.length
  if (name.length <= limit) return name + tail
  let end = Math.max(1, limit)
  while (end > 1 && /[\x80-\xbf]/.test(name.charAt(end))) end--
  return name.slice(0, end) + tail
}

/** File systems of the sources that are there, to be compared with what is there later. */
export function sourceDevices(sources: readonly WalkSource[], disk: Disk): ReadonlyMap<ByteString, bigint> {
  const found = new Map<ByteString, bigint>()
  for (const { path } of sources) {
    const stat = disk.stat(path)
    if (stat.ok) found.set(path, stat.value.dev)
  }
  return found
}

/**
 * A disk that was unplugged in mid-run looks like one whose files were all deleted: that must not become a snapshot.
 * Errors: `source-missing` when one of the sources is no longer there, or on another file system.
 */
export function expectSources(before: ReadonlyMap<ByteString, bigint>, disk: Disk): void {
  for (const [path, device] of before) {
    const stat = disk.stat(path)
    if (!stat.ok || stat.value.dev !== device) throw new HoldfastError('source-missing', `A source went away during the backup: ${toShown(path)}`)
  }
}

export function manifestSources(sources: readonly WalkSource[]): ManifestSource[] {
  return sources.map(({ name, given }) => manifestSource(toBytes(name), toBytes(given)))
}
