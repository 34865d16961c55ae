import { basename, resolve } from 'node:path'
import { HoldfastError } from '../../base/errors.ts'
import { type ByteString, fromText, toBytes, toShown } from '../../base/byte-string.ts'
import type { WalkSource } from '../../pipeline/walk-types.ts'
import type { Disk } from '../../source/disk.ts'
import { manifestSource, type ManifestSource } from '../../snapshot/manifest.ts'

/** Sources with the names that they get in the snapshot's root. Errors: `arguments`; `source-missing` when not one can be read. */
export function namedSources(paths: readonly string[], disk: Disk): WalkSource[] {
  if (paths.length === 0) throw new HoldfastError('arguments', 'There is nothing to back up: no source is given.')
  const sources: WalkSource[] = []
  for (const path of new Set(paths.map((each) => resolve(each)))) {
    sources.push({ name: uniqueName(fromText(basename(path)) || 'root', sources), path: fromText(path) })
  }
  if (!sources.some(({ path }) => disk.stat(path).ok)) {
    throw new HoldfastError('source-missing', `${sources.length === 1 ? 'The source does' : 'The sources do'} not exist or cannot be read: ${paths.join(', ')}`)
  }
  return sources
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
  return sources.map(({ name, path }) => manifestSource(toBytes(name), toBytes(path)))
}

function uniqueName(wanted: ByteString, sources: readonly WalkSource[]): ByteString {
  const taken = (name: ByteString): boolean => sources.some((source) => source.name === name)
  let name = wanted
  for (let number = 2; taken(name); number++) name = `${wanted}-${number}`
  return name
}
