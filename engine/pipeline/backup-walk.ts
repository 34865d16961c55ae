import { type ByteString, toBytes } from '../base/byte-string.ts'
import type { EntryStat } from '../base/entry-stat.ts'
import type { DiskFailure } from '../source/disk.ts'
import type { Folder } from '../source/folder.ts'
import type { Attribute, Attributes, BlobId, FileNode, TreeNode } from '../snapshot/node.ts'
import { maxNameBytes } from '../snapshot/tree-format.ts'
import { Completions } from './completions.ts'
import { DirectoryPlace } from './directory-place.ts'
import { EntryAttributes } from './entry-attributes.ts'
import { fileNode, fileStamp, isUnchanged, nodeBase, sameOther } from './file-node.ts'
import { replaced } from './file-reader.ts'
import type { ScratchFile } from './database-copy.ts'
import type { FileRead, FileTask } from './file-reading.ts'
import { Gone } from './gone.ts'
import { HardLinks } from './hard-links.ts'
import { LiveDatabases } from './live-databases.ts'
import { PendingDirectory, type Slot } from './pending-directory.ts'
import { PreviousDirectory } from './previous-directory.ts'
import { StoredParts } from './stored-parts.ts'
import type { Directory, Place, ReadFile, WalkOptions, WalkSource } from './walk-types.ts'

/** Entries that may wait behind files that are being read, in all directories together: about 25 MB. */
const queuedLimit = 40_000

/** The walk is one long computation; it lets the rest of the engine run this often, in ms. */
const sliceMs = 15

/** Folders inside each other, and bytes of a path: what a walk remembers of each folder on the way stays below 150 MB. */
const mostFolders = 4096
const mostPathBytes = 65_536

/** Codes of what stands where something else was a moment ago. */
const replacedCodes: ReadonlySet<string> = new Set([replaced, 'ELOOP', 'ENOTDIR', 'EISDIR', 'ESPIPE', 'ENXIO', 'ESTALE'])

/**
 * The stages walk and compare: goes through the sources in order of names, along with the trees of the snapshot before. What is
 * unchanged (size, mtime, ctime, inode) keeps its entry without being read; a directory in which nothing changed keeps its tree without
 * being encoded. All else goes to be read, and becomes an entry when that is done. Memory: the names of the directories on the
 * way, one leaf of each previous tree on the way, and at most `queuedLimit` entries that wait for files being read.
 */
export class BackupWalk {
  readonly #options: WalkOptions
  readonly #links = new HardLinks()
  readonly #completions = new Completions()
  readonly #attributes: EntryAttributes
  readonly #parts: StoredParts
  readonly #gone: Gone
  readonly #databases: LiveDatabases
  readonly #open = new Set<PendingDirectory>()
  readonly #folders = new Set<Folder>()
  #sliceEndMs = 0

  constructor(options: WalkOptions) {
    this.#options = options
    this.#attributes = new EntryAttributes(options.store, options.tally)
    this.#parts = new StoredParts(options.store)
    const { store, scratch, files, tally, signal, tally: { changes } } = options
    this.#databases = new LiveDatabases({ scratch, files, load: store.load, tally, signal })
    this.#gone = new Gone({ changes, peek: (id) => store.peek(id), storedRatio: (id) => store.storedRatio(id), breathe: () => this.#breathe() })
  }

  /** The root's tree, when everything below it is stored or on its way. */
  async run(): Promise<BlobId> {
    const { sources, previousRoot, files } = this.#options
    const root = Promise.withResolvers<BlobId>()
    try {
      const directory = await this.#enter('', '', '', 0n, -1, previousRoot, (tree) => { root.resolve(tree) })
      for (const source of sources.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
        const stands = await directory.previous?.seek(source.name) ?? false
        await this.#noticeGone(directory)
        if (!await this.#holdBack(directory, source, stands)) await this.#source(directory, source, stands)
      }
      await this.#leave(directory)
    } finally {
      for (const folder of this.#folders) folder.leave()
    }
    await files.flush()
    files.close()
    await files.done
    return root.promise
  }

  async #source(directory: Directory, { name: as, path, given }: WalkSource, stands: boolean): Promise<void> {
    const cut = path.lastIndexOf('/')
    const above = this.#options.disk.folder(cut === 0 ? '/' : path.slice(0, cut))
    if (!above.ok) {
      await this.#unreadable(directory, path, stands, above.failure)
      return
    }
    this.#folders.add(above.value)
    this.#gone.muted = this.#options.isAccepted?.({ name: as, path, given }) === true
    // The root of the file system has no name.
    await this.#entry(directory, { folder: above.value, name: path.slice(cut + 1) || '.', as, path, relative: '' }, stands)
    this.#folders.delete(above.value)
    above.value.leave()
  }

  async #enter(path: ByteString, prefix: ByteString, relativePrefix: ByteString, device: bigint, depth: number, previousTree: BlobId | undefined, onDone: (tree: BlobId) => void): Promise<Directory> {
    const { store, trusted, journal } = this.#options
    const pending: PendingDirectory = new PendingDirectory(store.storeTree, this.#completions, (tree) => {
      this.#open.delete(pending)
      onDone(tree)
    })
    this.#open.add(pending)
    const directory: Directory = {
      path, prefix, relativePrefix, device, depth, pending, previousTree,
      // What is gone from the root is a source that was taken out of the job.
      previous: previousTree && new PreviousDirectory(store.load, previousTree, depth < 0 ? undefined : this.#gone.entry),
      journaled: path === '' ? undefined : journal?.read(path),
      unchanged: 0,
    }
    // Without trust every tree is made again, so that each of its blobs is looked up.
    if (!previousTree || !trusted) await this.#change(directory)
    return directory
  }

  /** Takes the version of the snapshot before for a source that is not what it was. @returns whether it is dealt with. */
  async #holdBack(root: Directory, source: WalkSource, stands: boolean): Promise<boolean> {
    const { held: ask, tally, trusted } = this.#options
    const before = stands ? root.previous?.entry.node() : undefined
    const held = await ask?.(source, before)
    if (!held) return false
    const kept = held.keep && before !== undefined && (trusted || await this.#parts.touchNode(before))
    tally.problem(held.code, source.given, `${held.message} ${kept ? 'The snapshot keeps its last stored version.' : 'It is not in the snapshot.'}`)
    if (kept) this.#keep(root)
    return true
  }

  /** @param excused what else the snapshot before has of it is left out, not gone. */
  async #leave(directory: Directory, excused = false): Promise<void> {
    if (await directory.previous?.hasMore()) {
      await this.#change(directory)
      if (!excused) await directory.previous?.drain()
    }
    if (this.#gone.waits) await this.#gone.count()
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
  async #content(directory: Directory, folder: Folder, names: readonly ByteString[]): Promise<void> {
    const databases = this.#databases.folder(names, directory.previousTree)
    directory.databases = databases
    for (let at = 0; at < databases.names.length; at++) {
      const name = databases.names[at] ?? ''
      const found = directory.previous?.seek(name) ?? false
      const stands = typeof found === 'boolean' ? found : await found
      if (directory.previous && directory.previous.passedOver > 0 && !directory.pending.isChanged) await this.#change(directory)
      if (this.#gone.waits) await this.#gone.count()
      const waiting = this.#entry(directory, { folder, name, as: name, path: directory.prefix + name, relative: directory.relativePrefix + name }, stands)
      if (waiting) await waiting
    }
  }

  /** @param stands whether the previous tree's cursor stands on this name. */
  #entry(directory: Directory, place: Place, stands: boolean): Promise<void> | undefined {
    const { excludes, tally } = this.#options
    const { path, relative } = place
    if (place.name.length > maxNameBytes) {
      tally.problem('unreadable', path, `Its name is longer than ${maxNameBytes} bytes. It is not in the snapshot.`)
      return undefined
    }
    const decided = directory.databases?.take(place.name)
    if (decided === false) return undefined
    const stat = decided ? { ok: true as const, value: decided.stat } : place.folder.entry(place.name)
    if (!stat.ok) return this.#unreadable(directory, path, stands, stat.failure)
    const { value } = stat
    const isDirectory = value.type === 'directory'
    // An entry that the previous tree has and that is not taken counts as gone, which is right for an excluded one.
    if (excludes.entry(path, relative, isDirectory, Number(value.size)) || excludes.flagged(relative, value.flags)) {
      if (stands) directory.previous?.excuse()
      decided?.copy?.remove()
      return undefined
    }
    if (value.clamped) tally.note('time', path, 'A time beyond the years 1677 to 2262 is stored as the nearest in them.')
    if (isDirectory) return this.#directory(directory, place, stands)
    if (value.type === 'file') return decided ? this.#file(directory, place, value, stands, decided.copy) : this.#anyFile(directory, place, value, stands)
    return this.#other(directory, place, value, stands)
  }

  #anyFile(directory: Directory, place: Place, stat: EntryStat, stands: boolean): Promise<void> | undefined {
    const isUnchanged = this.#options.trusted && stands && directory.previous?.entry.isUnchanged(fileStamp(stat)) === true
    const settled = directory.databases?.settle(place, stat, isUnchanged)
    return settled ? settled.then((state) => this.#file(directory, place, state?.stat ?? stat, stands, state?.copy)) : this.#file(directory, place, stat, stands)
  }

  /** @param copy what is read in its place */
  #file(directory: Directory, place: Place, stat: EntryStat, stands: boolean, copy?: ScratchFile): Promise<void> | undefined {
    const { tally, trusted } = this.#options
    const size = Number(stat.size)
    tally.files.found++
    tally.bytes.found += size
    tally.currentPath = place.path
    if (trusted && stands && directory.previous?.entry.isUnchanged(fileStamp(stat))) {
      tally.files.unchanged++
      tally.bytes.unchanged += size
      tally.changes.kept.files++
      tally.changes.kept.bytes += size
      this.#keep(directory)
      copy?.remove()
      return this.#breathe()
    }
    return this.#changedFile(directory, place, stat, stands, copy)
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

  async #changedFile(directory: Directory, place: Place, stat: EntryStat, stands: boolean, copy?: ScratchFile): Promise<void> {
    const { tally, files } = this.#options
    const previous = stands ? directory.previous?.entry.node() : undefined
    if (stands) directory.previous?.take()
    tally.changes.found(Number(stat.size), previous)
    if (previous?.type === 'directory') this.#gone.node(previous)
    await this.#change(directory)
    const known = await this.#knownFile(directory, place.as, stat, previous)
    if (known || stat.size === 0n) copy?.remove()
    if (known) {
      tally.files.unchanged++
      tally.bytes.unchanged += Number(stat.size)
      directory.pending.add(fileNode(toBytes(place.as), stat, known.content, known.attributes))
      return
    }
    if (stat.size === 0n) {
      tally.files.uploaded++
      const list = this.#attributes.list(place.path, place.folder.attributes(place.name), stat)
      directory.pending.add(fileNode(toBytes(place.as), stat, { depth: 0, ids: [] }, this.#attributes.store(place.path, list)))
      return
    }
    await this.#roomInQueues()
    const slot = directory.pending.reserve()
    const { folder, name } = place
    const plain: FileTask = { folder, name, stat, onRead: (read) => { this.#fileRead(slot, { directory: directory.path, place, stat, previous }, read) } }
    const task = copy ? this.#databases.task(copy, plain) : this.#links.share(plain)
    if (task) await files.add(task)
    await this.#breathe()
  }

  /** What an earlier run stored of a file that has not changed since, if all of it is still there (R3, E3). */
  async #knownFile(directory: Directory, name: ByteString, stat: EntryStat, previous: TreeNode | undefined): Promise<FileNode | undefined> {
    const { trusted } = this.#options
    const journaled = await directory.journaled?.find(name)
    for (const node of [journaled, previous]) {
      if (node?.type !== 'file' || !isUnchanged(node, stat)) continue
      if (trusted && node === previous) return node
      if (await this.#parts.touchNode(node)) return node
    }
    return undefined
  }

  #fileRead(slot: Slot, file: ReadFile, read: FileRead): void {
    const { tally, store } = this.#options
    const { directory, place: { path, as }, stat, previous } = file
    if (!read.ok) {
      tally.files.dropped++
      tally.bytes.dropped += Number(stat.size)
      slot.fill(this.#fallback(path, read.reason, previous))
      return
    }
    if (read.torn) tally.problem('changed', path, 'The file changed while it was read; the snapshot may hold a mixture of its states.')
    if (read.stored) tally.files.uploaded++
    else tally.files.deduplicated++
    if (read.shared) tally.bytes.deduplicated += Number(read.stat.size)
    tally.bytes.found += Number(read.stat.size - stat.size)
    const attributes = this.#attributes.store(path, this.#attributes.list(path, read.attributes, read.stat))
    const node = fileNode(toBytes(as), read.stat, read.content, attributes)
    tally.changes.read({ node, previous, read }, this.#gone.couldBeCompressed)
    store.fileDone(directory, node)
    slot.fill(node)
  }

  /** What stands in for a file that cannot be read: the version of the snapshot before, if that is certain to be there. */
  #fallback(path: ByteString, reason: string, previous: TreeNode | undefined): TreeNode | undefined {
    const { tally, trusted } = this.#options
    if (reason === 'ENOENT') {
      tally.problem('vanished', path, 'The file vanished before it was read.')
      return undefined
    }
    if (replacedCodes.has(reason)) {
      this.#replaced(path)
      return undefined
    }
    const kept = previous?.type === 'file' && (trusted || this.#parts.touchNow(previous)) ? previous : undefined
    tally.problem('unreadable', path, `The file cannot be read (${reason}). ${kept ? 'The snapshot keeps its last stored version.' : 'It is not in the snapshot.'}`)
    return kept
  }

  #replaced(path: ByteString): void {
    this.#options.tally.problem('changed', path, 'Something else took its place while it was read. It is not in the snapshot; the next backup takes what is there then.')
  }

  async #directory(parent: Directory, place: Place, stands: boolean): Promise<void> {
    const opened = place.folder.folder(place.name)
    if (!opened.ok) {
      await this.#unreadable(parent, place.path, stands, opened.failure)
      return
    }
    const folder = opened.value
    this.#folders.add(folder)
    await this.#openDirectory(parent, place, folder, stands)
    this.#folders.delete(folder)
    folder.leave()
    await this.#breathe()
  }

  /** Its metadata is what the open folder says: another one may have taken its place since its name was looked up. */
  async #openDirectory(parent: Directory, place: Place, folder: Folder, stands: boolean): Promise<void> {
    const { tally, excludes, isOwn } = this.#options
    const { path, relative } = place
    const crosses = relative !== '' && folder.stat.device !== parent.device
    const foreign = crosses && (excludes.oneFileSystem || this.#options.isSystemFolder?.(path) === true)
    const names = foreign ? noNames : folder.names()
    if (!names.ok) {
      await this.#unreadable(parent, path, stands, names.failure)
      return
    }
    if (isOwn(folder, names.value)) {
      tally.note('own-folder', path, 'The repository and the folder of Holdfast itself are left out.')
      return
    }
    if (parent.depth >= mostFolders || path.length > mostPathBytes) {
      tally.problem('unreadable', path, `It lies deeper than ${mostFolders} folders, or its path is longer than 64 KiB. It is not in the snapshot.`)
      return
    }
    tally.directories++
    const previous = stands ? parent.previous?.entry.node() : undefined
    const at = new DirectoryPlace(toBytes(place.as), folder.stat, previous)
    at.attributes = await this.#kept(parent, path, this.#attributes.list(path, folder.attributes(), folder.stat), previous)
    const previousTree = previous?.type === 'directory' ? previous.tree : undefined
    if (previous?.type === 'file') this.#gone.node(previous)
    const prefix = path.endsWith('/') ? path : `${path}/`
    const directory = await this.#enter(path, prefix, relative === '' ? '' : `${relative}/`, folder.stat.device, parent.depth + 1, previousTree, (tree) => {
      if (directory?.pending.isChanged) this.#options.store.directoryDone(path, tree)
      at.done(tree)
    })
    const address = folder.address('')
    const isLeftOut = foreign || (address.ok && excludes.marked(address.value, (marker) => names.value.includes(marker)))
    await this.#content(directory, folder, isLeftOut ? [] : names.value)
    await this.#leave(directory, isLeftOut)
    await this.#placeDirectory(parent, at, stands)
  }

  /** The attributes of an entry that is looked at in each run; a difference to the entry before is a difference in its directory. */
  async #kept(directory: Directory, path: ByteString, list: readonly Attribute[], previous: TreeNode | undefined): Promise<Attributes | undefined> {
    if (list.length === 0) return undefined
    if (this.#options.trusted && previous && await this.#attributes.areThose(list, previous)) return previous.attributes
    await this.#change(directory)
    return this.#attributes.store(path, list)
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

  #other(directory: Directory, place: Place, stat: EntryStat, stands: boolean): Promise<void> | undefined {
    const { tally } = this.#options
    const { folder, name, path } = place
    if (stat.type === 'socket' || stat.type === 'device') {
      tally.note(stat.type, path, `${stat.type === 'socket' ? 'Sockets' : 'Devices'} are not backed up.`)
      return undefined
    }
    const target = stat.type === 'symlink' ? folder.link(name) : undefined
    if (target && !target.ok) return this.#unreadable(directory, path, stands, target.failure)
    tally.others++
    const list = this.#attributes.list(path, folder.attributes(name), stat)
    const node = (attributes?: Attributes): TreeNode => {
      const base = nodeBase(toBytes(place.as), stat, attributes)
      return target ? { type: 'symlink', ...base, target: target.value } : { type: 'fifo', ...base }
    }
    const before = stands ? directory.previous?.entry.node() : undefined
    if (list.length > 0) return this.#kept(directory, path, list, before).then((kept) => this.#placeOther(directory, node(kept), stat, before))
    return this.#placeOther(directory, node(), stat, before)
  }

  #placeOther(directory: Directory, node: TreeNode, stat: EntryStat, before: TreeNode | undefined): Promise<void> | undefined {
    if (before?.type === 'file' || before?.type === 'directory') this.#gone.node(before)
    if (before && sameOther(before, node, stat)) {
      this.#keep(directory)
      return undefined
    }
    if (before) directory.previous?.take()
    return this.#change(directory).then(() => { directory.pending.add(node) })
  }

  /** An entry whose metadata or names cannot be read keeps what the snapshot before has of it. */
  async #unreadable(directory: Directory, path: ByteString, stands: boolean, failure: DiskFailure): Promise<void> {
    const { tally, trusted } = this.#options
    if (replacedCodes.has(failure.reason)) {
      this.#replaced(path)
      return
    }
    const kept = stands && failure.code === 'unreadable' && (trusted || await this.#parts.touchNode(directory.previous?.entry.node()))
    const message = failure.code === 'vanished' ? 'It vanished during the backup.' : `It cannot be read (${failure.reason}). ${kept ? 'The snapshot keeps its last stored version.' : 'It is not in the snapshot.'}`
    tally.problem(failure.code, path, message)
    if (kept) this.#keep(directory)
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

const noNames = { ok: true, value: [] as readonly ByteString[] } as const
