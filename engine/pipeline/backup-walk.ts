import type { BigIntStats } from 'node:fs'
import { type ByteString, toBytes } from '../base/byte-string.ts'
import type { DiskFailure, DiskResult } from '../source/disk.ts'
import { decodeList } from '../snapshot/content.ts'
import type { BlobId, ContentRef, TreeNode } from '../snapshot/node.ts'
import { decodeTree } from '../snapshot/tree.ts'
import { DirectoryPlace } from './directory-place.ts'
import { fileNode, fileStamp, isUnchanged, nodeBase, sameOther, stampOf } from './file-node.ts'
import type { FileRead } from './file-reading.ts'
import { HardLinks } from './hard-links.ts'
import { PendingDirectory, type Slot } from './pending-directory.ts'
import { PreviousDirectory } from './previous-directory.ts'
import type { Directory, ReadFile, WalkOptions, WalkStore } from './walk-types.ts'

/** Entries that may wait behind files that are being read, in all directories together: about 25 MB. */
const queuedLimit = 40_000

/** The walk is one long computation; it lets the rest of the engine run this often, in ms. */
const sliceMs = 15

/**
 * The stages walk and compare: goes through the sources in order of names, along with the trees of the snapshot before. What is
 * unchanged (size, mtime, ctime, inode) keeps its entry without being read; a directory in which nothing changed keeps its tree without
 * being encoded. All else goes to be read, and becomes an entry when that is done. Memory: the names of the directories on the
 * way, one leaf of each previous tree on the way, and at most `queuedLimit` entries that wait for files being read.
 */
export class BackupWalk {
  readonly #options: WalkOptions
  readonly #links = new HardLinks()
  readonly #open = new Set<PendingDirectory>()
  #sliceEndMs = 0

  constructor(options: WalkOptions) {
    this.#options = options
  }

  /** The root's tree, when everything below it is stored or on its way. */
  async run(): Promise<BlobId> {
    const { sources, previousRoot, files } = this.#options
    const root = Promise.withResolvers<BlobId>()
    const directory = await this.#enter('', '', '', 0n, previousRoot, (tree) => { root.resolve(tree) })
    for (const source of sources.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const stands = await directory.previous?.seek(source.name) ?? false
      await this.#noticeGone(directory)
      await this.#entry(directory, source.path, source.name, '', stands)
    }
    await this.#leave(directory)
    await files.flush()
    files.close()
    await files.done
    return root.promise
  }

  async #enter(path: ByteString, prefix: ByteString, relativePrefix: ByteString, device: bigint, previousTree: BlobId | undefined, onDone: (tree: BlobId) => void): Promise<Directory> {
    const { store, trusted, journal } = this.#options
    const pending: PendingDirectory = new PendingDirectory(store.storeTree, (tree) => {
      this.#open.delete(pending)
      onDone(tree)
    })
    this.#open.add(pending)
    const directory: Directory = {
      path, prefix, relativePrefix, device, pending, previousTree,
      previous: previousTree && new PreviousDirectory(store.load, previousTree),
      journaled: path === '' ? undefined : journal?.read(path),
      unchanged: 0,
    }
    // Without trust every tree is made again, so that each of its blobs is looked up.
    if (!previousTree || !trusted) await this.#change(directory)
    return directory
  }

  async #leave(directory: Directory): Promise<void> {
    if (!directory.pending.isChanged && await directory.previous?.hasMore()) await this.#change(directory)
    directory.pending.end(directory.previousTree)
    const settled = this.#options.store.treesSettled()
    if (settled) await settled
  }

  /** The first difference in a directory. */
  async #change(directory: Directory): Promise<void> {
    if (directory.pending.isChanged) return
    const { store } = this.#options
    await store.ensure()
    const earlier = directory.previousTree && directory.unchanged > 0 ? new PreviousDirectory(store.load, directory.previousTree) : undefined
    await directory.pending.change(earlier, directory.unchanged)
  }

  async #noticeGone(directory: Directory): Promise<void> {
    if (directory.previous && directory.previous.passedOver > 0) await this.#change(directory)
  }

  /** Goes through the entries of a directory whose names have been read. */
  async #content(directory: Directory, names: readonly ByteString[]): Promise<void> {
    for (const name of names) {
      const found = directory.previous?.seek(name) ?? false
      const stands = typeof found === 'boolean' ? found : await found
      if (directory.previous && directory.previous.passedOver > 0 && !directory.pending.isChanged) await this.#change(directory)
      const waiting = this.#entry(directory, directory.prefix + name, name, directory.relativePrefix + name, stands)
      if (waiting) await waiting
    }
  }

  /** @param stands whether the previous tree's cursor stands on this name. */
  #entry(directory: Directory, path: ByteString, name: ByteString, relative: ByteString, stands: boolean): Promise<void> | undefined {
    const { disk, excludes } = this.#options
    const stat = disk.stat(path)
    if (!stat.ok) return this.#unreadable(directory, path, stands, stat.failure)
    const { value } = stat
    const isDirectory = value.isDirectory()
    const excluded = excludes.entry(path, relative, isDirectory, Number(value.size))
    // An entry that the previous tree has and that is not taken counts as gone, which is right for an excluded one.
    if (excluded) return undefined
    if (isDirectory) return this.#directory(directory, path, name, relative, value, stands)
    if (value.isFile()) return this.#file(directory, path, name, value, stands)
    return this.#other(directory, path, name, value, stands)
  }

  #file(directory: Directory, path: ByteString, name: ByteString, stat: BigIntStats, stands: boolean): Promise<void> | undefined {
    const { tally, trusted } = this.#options
    const size = Number(stat.size)
    tally.files.found++
    tally.bytes.found += size
    tally.currentPath = path
    if (trusted && stands && directory.previous?.entry.isUnchanged(fileStamp(stat))) {
      tally.files.unchanged++
      tally.bytes.unchanged += size
      this.#keep(directory)
      return this.#breathe()
    }
    return this.#changedFile(directory, path, name, stat, stands)
  }

  /** Takes the entry over as the previous tree has it. */
  #keep(directory: Directory): void {
    const { previous } = directory
    if (!previous) return
    const { entry } = previous
    previous.take()
    if (directory.pending.isChanged) directory.pending.addEncoded(entry.name, entry.entry, () => entry.node())
    else directory.unchanged++
  }

  async #changedFile(directory: Directory, path: ByteString, name: ByteString, stat: BigIntStats, stands: boolean): Promise<void> {
    const { tally, files } = this.#options
    const previous = stands ? directory.previous?.entry.node() : undefined
    if (stands) directory.previous?.take()
    await this.#change(directory)
    const size = Number(stat.size)
    const known = await this.#knownContent(directory, name, stat, previous)
    if (known) {
      tally.files.unchanged++
      tally.bytes.unchanged += size
      directory.pending.add(fileNode(toBytes(name), stat, stampOf(stat), known))
      return
    }
    if (size === 0) {
      tally.files.uploaded++
      directory.pending.add(fileNode(toBytes(name), stat, stampOf(stat), { depth: 0, ids: [] }))
      return
    }
    await this.#roomInQueues()
    const slot = directory.pending.reserve()
    const task = this.#links.share({ path, stat, onRead: (read) => { this.#fileRead(slot, { directory: directory.path, path, name, stat, previous }, read) } })
    if (task) await files.add(task)
    await this.#breathe()
  }

  /** Content that an earlier run stored of a file that has not changed since, if all of it is still there (R3, E3). */
  async #knownContent(directory: Directory, name: ByteString, stat: BigIntStats, previous: TreeNode | undefined): Promise<ContentRef | undefined> {
    const { trusted } = this.#options
    const journaled = await directory.journaled?.find(name)
    for (const node of [journaled, previous]) {
      if (node?.type !== 'file' || !isUnchanged(node, stat)) continue
      if (trusted && node === previous) return node.content
      if (await this.#touchContent(node.content)) return node.content
    }
    return undefined
  }

  async #touchContent(content: ContentRef): Promise<boolean> {
    const { store } = this.#options
    if (!store.touch(Buffer.concat(content.ids))) return false
    if (content.depth === 0) return true
    for (const id of content.ids) if (!await this.#touchContent(decodeList(await store.load(id)))) return false
    return true
  }

  #fileRead(slot: Slot, file: ReadFile, read: FileRead): void {
    const { tally, store } = this.#options
    const { directory, path, name, stat, previous } = file
    if (!read.ok) {
      tally.files.dropped++
      tally.bytes.dropped += Number(stat.size)
      slot.fill(this.#fallback(path, read.reason, previous))
      return
    }
    if (read.torn) tally.problem('changed', path, 'The file changed while it was read; the snapshot may hold a mixture of its states.')
    if (read.stored) tally.files.uploaded++
    else tally.files.deduplicated++
    if (read.shared) tally.bytes.deduplicated += read.stamp.size
    tally.bytes.found += read.stamp.size - Number(stat.size)
    const node = fileNode(toBytes(name), stat, read.stamp, read.content)
    store.fileDone(directory, node)
    slot.fill(node)
  }

  /** What stands in for a file that cannot be read: the version of the snapshot before, if that is certain to be there. */
  #fallback(path: ByteString, reason: string, previous: TreeNode | undefined): TreeNode | undefined {
    const { tally, trusted, store } = this.#options
    if (reason === 'ENOENT') {
      tally.problem('vanished', path, 'The file vanished before it was read.')
      return undefined
    }
    const kept = previous?.type === 'file' && (trusted || (previous.content.depth === 0 && store.touch(Buffer.concat(previous.content.ids)))) ? previous : undefined
    tally.problem('unreadable', path, `The file cannot be read (${reason}). ${kept ? 'The snapshot keeps its last stored version.' : 'It is not in the snapshot.'}`)
    return kept
  }

  async #directory(parent: Directory, path: ByteString, name: ByteString, relative: ByteString, stat: BigIntStats, stands: boolean): Promise<void> {
    const { disk, tally, excludes } = this.#options
    const foreign = excludes.oneFileSystem && relative !== '' && stat.dev !== parent.device
    const names: DiskResult<ByteString[]> = foreign ? { ok: true, value: [] } : disk.names(path)
    if (!names.ok) {
      await this.#unreadable(parent, path, stands, names.failure)
      return
    }
    tally.directories++
    const prefix = path.endsWith('/') ? path : `${path}/`
    const previous = stands ? parent.previous?.entry.node() : undefined
    const place = new DirectoryPlace(toBytes(name), stat, previous)
    const directory = await this.#enter(path, prefix, relative === '' ? '' : `${relative}/`, stat.dev, previous?.type === 'directory' ? previous.tree : undefined, (tree) => {
      if (directory?.pending.isChanged) this.#options.store.directoryDone(path, tree)
      place.done(tree)
    })
    await this.#content(directory, excludes.marked(path, (marker) => names.value.includes(marker)) ? [] : names.value)
    await this.#leave(directory)
    await this.#placeDirectory(parent, place, stands)
    await this.#breathe()
  }

  async #placeDirectory(parent: Directory, place: DirectoryPlace, stands: boolean): Promise<void> {
    if (place.isAsBefore && !parent.pending.isChanged) {
      this.#keep(parent)
      return
    }
    if (stands) parent.previous?.take()
    await this.#change(parent)
    if (place.node) parent.pending.add(place.node)
    else {
      const slot = parent.pending.reserve()
      place.onNode = (node) => { slot.fill(node) }
    }
  }

  #other(directory: Directory, path: ByteString, name: ByteString, stat: BigIntStats, stands: boolean): Promise<void> | undefined {
    const { disk, tally } = this.#options
    if (!stat.isSymbolicLink() && !stat.isFIFO()) {
      tally.problem('skipped-type', path, 'Sockets and devices are not backed up.')
      return undefined
    }
    const target = stat.isSymbolicLink() ? disk.link(path) : undefined
    if (target && !target.ok) return this.#unreadable(directory, path, stands, target.failure)
    tally.others++
    const base = nodeBase(toBytes(name), stat)
    const node: TreeNode = target ? { type: 'symlink', ...base, target: target.value } : { type: 'fifo', ...base }
    const before = stands ? directory.previous?.entry.node() : undefined
    if (before && sameOther(before, node, stat)) {
      this.#keep(directory)
      return undefined
    }
    if (stands) directory.previous?.take()
    return this.#change(directory).then(() => { directory.pending.add(node) })
  }

  /** An entry whose metadata or names cannot be read keeps what the snapshot before has of it. */
  async #unreadable(directory: Directory, path: ByteString, stands: boolean, failure: DiskFailure): Promise<void> {
    const { tally, trusted } = this.#options
    const kept = stands && failure.code === 'unreadable' && (trusted || await this.#touchNode(directory.previous?.entry.node()))
    const message = failure.code === 'vanished' ? 'It vanished during the backup.' : `It cannot be read (${failure.reason}). ${kept ? 'The snapshot keeps its last stored version.' : 'It is not in the snapshot.'}`
    tally.problem(failure.code, path, message)
    if (kept) this.#keep(directory)
  }

  /** Rule R3 for an entry that is taken over whole. */
  async #touchNode(node: TreeNode | undefined): Promise<boolean> {
    const { store } = this.#options
    if (node?.type === 'file') return this.#touchContent(node.content)
    if (node?.type !== 'directory') return node !== undefined
    return this.#touchTree(node.tree, store)
  }

  async #touchTree(id: BlobId, store: WalkStore): Promise<boolean> {
    if (!store.touch(id)) return false
    const tree = decodeTree(await store.load(id))
    if (tree.type === 'branch') {
      for (const child of tree.children) if (!await this.#touchTree(child.tree, store)) return false
      return true
    }
    for (const node of tree.nodes) if (!await this.#touchNode(node)) return false
    return true
  }

  async #roomInQueues(): Promise<void> {
    const { files, signal } = this.#options
    let queued = 0
    for (const pending of this.#open) queued += pending.queued
    if (queued < queuedLimit) return
    await files.flush()
    while (!signal.aborted && queued >= queuedLimit) {
      await new Promise((resolve) => { setTimeout(resolve, 5) })
      queued = 0
      for (const pending of this.#open) queued += pending.queued
    }
  }

  #breathe(): Promise<void> | undefined {
    if (performance.now() < this.#sliceEndMs) return undefined
    const { pauseGate, signal } = this.#options
    return new Promise<void>((resolve) => { setImmediate(resolve) }).then(() => pauseGate.pass(signal)).then(() => {
      this.#sliceEndMs = performance.now() + sliceMs
    })
  }
}
