import { hash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { throwIfAborted } from '../../base/abort.ts'
import { asBuffer } from '../../base/bytes.ts'
import { hasCode, type HoldfastError } from '../../base/errors.ts'
import type { Database } from '../../catalog/database.ts'
import { NameLedger, type NamedSnapshot } from '../../catalog/names/ledger.ts'
import { NameWriter, type EntryState, type FolderPass } from '../../catalog/names/writer.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { BlobId, TreeNode } from '../../snapshot/node.ts'
import { iterateTree } from '../../snapshot/tree-walk.ts'

/** A snapshot whose names are to be taken in. */
export interface SnapshotToTake extends NamedSnapshot {
  readonly root: BlobId
}

export interface TakeInOptions {
  /** Versions that the index may hold, over all snapshots: about 100 bytes each on the disk. */
  readonly mostVersions: number
  /** Ends it; what was taken in stays, and the next one goes on from there. */
  readonly signal: AbortSignal
  /** A snapshot with a folder that cannot be read stays out; those behind it do not. */
  readonly onDamaged?: (snapshot: NamedSnapshot, error: HoldfastError) => void
}

/** Versions of entries that the index of a repository may hold. */
export const mostVersions = 10_000_000

/** Entries between two commits, at each of which the process has a turn for other things. */
const entriesAtOnce = 500

/** The index is full, and there is no older snapshot that could make room. */
class IndexFull extends Error {}

/**
 * Takes the names of snapshots into the index, those of one job on one host in their order: only folders that are not as they were are loaded. Where the index is
 * full the oldest snapshots make room. The caller holds lockNames. False: not all has room. Errors: aborted, those of loading and of the catalog.
 */
export async function takeIn(database: Database, load: LoadTree, snapshots: readonly SnapshotToTake[], options: TakeInOptions): Promise<boolean> {
  const ledger = new NameLedger(database)
  for (const snapshot of ledger.missing(snapshots)) {
    for (let done = false; !done;) {
      throwIfAborted(options.signal)
      if (ledger.versions >= options.mostVersions && !(await makeRoom(ledger, options))) return false
      try {
        await takeOne(database, load, ledger.begin(snapshot), snapshot.root, options)
        done = true
      } catch (error) {
        if (error instanceof IndexFull) continue
        if (!options.onDamaged || !hasCode(error, 'damaged')) throw error
        options.onDamaged(snapshot, error)
        done = true
      }
    }
  }
  return true
}

/** Removes what no snapshot has any more, bit by bit. */
export async function sweepNames(ledger: NameLedger, signal: AbortSignal): Promise<void> {
  while (ledger.sweep()) {
    await setImmediate()
    throwIfAborted(signal)
  }
}

/** A tenth, so that the next few snapshots need not ask again. */
async function makeRoom(ledger: NameLedger, { mostVersions: most, signal }: TakeInOptions): Promise<boolean> {
  while (ledger.versions > most * 0.9) {
    if (!ledger.dropOldest()) break
    await sweepNames(ledger, signal)
  }
  return ledger.versions < most
}

async function takeOne(database: Database, load: LoadTree, at: { readonly seq: number; readonly line: number }, root: BlobId, options: TakeInOptions): Promise<void> {
  const writer = new NameWriter(database, at)
  writer.begin()
  try {
    const walk = new Walk(writer, load, options)
    await walk.folder(writer.root(), root)
    writer.done()
    writer.commit()
  } catch (error) {
    writer.rollback()
    throw error
  }
}

class Walk {
  readonly #writer: NameWriter
  readonly #load: LoadTree
  readonly #options: TakeInOptions
  #entries = 0

  constructor(writer: NameWriter, load: LoadTree, options: TakeInOptions) {
    this.#writer = writer
    this.#load = load
    this.#options = options
  }

  async folder(folder: number, tree: BlobId): Promise<void> {
    const writer = this.#writer
    if (writer.isTaken(folder, tree)) return
    const pass = writer.enter(folder)
    for await (const node of iterateTree(this.#load, tree)) await this.#entry(pass, node)
    for (let gone = writer.goneFolders(pass); gone.length > 0; gone = writer.goneFolders(pass)) {
      for (const each of gone) await this.#close(each)
    }
    writer.leave(pass, tree)
  }

  async #entry(pass: FolderPass, node: TreeNode): Promise<void> {
    const writer = this.#writer
    const name = writer.name(node.name)
    if (writer.replacesFolder(pass, name, node.type)) await this.#close(writer.child(pass.folder, name))
    writer.meet(pass, name, stateOf(node))
    await this.#breathe()
    if (node.type === 'directory') await this.folder(writer.child(pass.folder, name), node.tree)
  }

  async #close(folder: number): Promise<void> {
    const writer = this.#writer
    for (let below = writer.foldersBelow(folder); below.length > 0; below = writer.foldersBelow(folder)) {
      for (const each of below) await this.#close(each)
    }
    writer.closeFolder(folder)
    await this.#breathe()
  }

  async #breathe(): Promise<void> {
    if (++this.#entries % entriesAtOnce !== 0) return
    this.#writer.commit()
    await setImmediate()
    throwIfAborted(this.#options.signal)
    if (this.#writer.versions >= this.#options.mostVersions) throw new IndexFull()
    this.#writer.begin()
  }
}

function stateOf(node: TreeNode): EntryState {
  const base = { type: node.type, mtimeMs: Math.floor(Number(node.mtimeNs / 1_000_000n)) }
  switch (node.type) {
    case 'file': return { ...base, size: node.size, content: contentOf(node.content.ids) }
    case 'symlink': return { ...base, size: 0, content: numberOf(hash('sha256', node.target, 'buffer')) }
    default: return { ...base, size: 0, content: 0 }
  }
}

function contentOf(ids: readonly BlobId[]): number {
  const [first] = ids
  if (!first) return 0
  return numberOf(ids.length === 1 ? first : hash('sha256', Buffer.concat(ids), 'buffer'))
}

function numberOf(id: Uint8Array): number {
  return asBuffer(id).readUIntBE(0, 6)
}
