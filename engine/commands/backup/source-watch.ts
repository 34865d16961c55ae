import { opendirSync } from 'node:fs'
import type { BigIntStats } from 'node:fs'
import { type ByteString, fromBytes, toFilePath } from '../../base/byte-string.ts'
import type { SourceRecord } from '../../catalog/last-snapshot.ts'
import type { LoadNow } from '../../pipeline/previous-directory.ts'
import type { HeldSource, WalkSource } from '../../pipeline/walk-types.ts'
import { sourceBytes, type ManifestSource } from '../../snapshot/manifest.ts'
import type { TreeNode } from '../../snapshot/node.ts'
import { decodeTree } from '../../snapshot/tree.ts'
import type { Disk } from '../../source/disk.ts'

/** What a disk has that nobody has stored anything on. */
const madeBySystem: ReadonlySet<ByteString> = new Set([
  'lost+found', '.DS_Store', '.Spotlight-V100', '.Trashes', '.fseventsd', '$RECYCLE.BIN', 'System Volume Information',
])

/**
 * Watches for a source that is not what it was: gone, suddenly empty as the mount point of an unplugged disk is, or on another disk than
 * before. Its last stored version then stays in the new snapshot, until the user says that it is as it should be.
 */
export class SourceWatch {
  readonly #known: ReadonlyMap<ByteString, SourceRecord>
  readonly #accept: boolean
  readonly #disk: Disk
  readonly #held = new Set<ByteString>()
  readonly #accepted = new Set<ByteString>()
  /** Sources that are suddenly empty or on another disk, and keep their last version. */
  changed = 0

  /** @param known the sources of the snapshot before, by which its entries are known to be these sources'. */
  constructor(known: readonly SourceRecord[], disk: Disk, accept: boolean) {
    this.#known = new Map(known.map((record) => [record.path, record]))
    this.#disk = disk
    this.#accept = accept
  }

  /** @param before its entry in the snapshot before. */
  async held(source: WalkSource, before: TreeNode | undefined, load: LoadNow): Promise<HeldSource | undefined> {
    const record = this.#known.get(source.given)
    const keep = record?.name === source.name
    const stat = this.#disk.stat(source.path)
    if (!stat.ok) {
      this.#held.add(source.given)
      const reason = stat.failure.code === 'vanished' ? 'This source is not there: deleted, moved, or on a disk that is not connected.' : `This source cannot be read (${stat.failure.reason}).`
      return { code: 'source-missing', keep, message: reason }
    }
    if (!keep || before?.type !== 'directory' || !await holdsSomething(before.tree, load)) return undefined
    const message = isSuddenlyEmpty(source.path, stat.value) ? 'This source is suddenly empty; its disk may not be connected.'
      : isElsewhere(record, stat.value) ? 'This source is on another disk than before.'
        : undefined
    if (message === undefined) return undefined
    if (this.#accept) {
      this.#accepted.add(source.given)
      return undefined
    }
    this.#held.add(source.given)
    this.changed++
    return { code: 'source-changed', keep, message: `${message} If it is as it should be, run once with --accept-changed-sources.` }
  }

  /** It would be held if nobody had said that it is as it should be. To be asked after `held`. */
  isAccepted({ given }: WalkSource): boolean {
    return this.#accepted.has(given)
  }

  /** For the next run: of a source that was held, what was known before. */
  records(sources: readonly WalkSource[]): SourceRecord[] {
    return sources.map((source) => {
      const known = this.#known.get(source.given)
      if (known && this.#held.has(source.given)) return known
      const stat = this.#disk.stat(source.path)
      const place = stat.ok ? { device: stat.value.dev, inode: stat.value.ino } : {}
      return { name: source.name, path: source.given, ...place }
    })
  }
}

/** Of a manifest, where the catalog does not know the snapshot before. */
export function recordsOf(sources: readonly ManifestSource[]): SourceRecord[] {
  return sources.map(sourceBytes).map(({ name, path }) => ({ name: fromBytes(name), path: fromBytes(path) }))
}

/**
 * Numbers of devices change from boot to boot, and the inode of a mounted disk's folder is the same on each of its mounts: only both together
 * tell that it is another folder on another file system.
 */
function isElsewhere({ device, inode }: SourceRecord, stat: BigIntStats): boolean {
  return device !== undefined && inode !== undefined && device !== stat.dev && inode !== stat.ino
}

async function holdsSomething(tree: Uint8Array, load: LoadNow): Promise<boolean> {
  const decoded = decodeTree(await load(tree))
  return decoded.type === 'branch' || decoded.nodes.some((node) => !madeBySystem.has(fromBytes(node.name)))
}

function isSuddenlyEmpty(path: ByteString, stat: BigIntStats): boolean {
  if (!stat.isDirectory()) return false
  try {
    using folder = opendirSync(toFilePath(path), { encoding: 'latin1' })
    for (let entry = folder.readSync(); entry; entry = folder.readSync()) if (!madeBySystem.has(entry.name)) return false
    return true
  } catch {
    // The walk tells why it cannot be read, and keeps what was stored.
    return false
  }
}
