import { fromBytes, namesOf, toShown } from '../base/byte-string.ts'
import { copyOf } from '../base/bytes.ts'
import { asHoldfastError, assertNever, HoldfastError, toWireError } from '../base/errors.ts'
import type { HeldJob } from '../protocol/changes.ts'
import type { DrillProof } from '../protocol/drill.ts'
import type { BrowseJob } from '../protocol/job.ts'
import type { BrowseAnswer, BrowseQuery, EntryView, PlannedPart, SnapshotChanges, SnapshotView } from '../protocol/messages.ts'
import type { TextComparison } from '../protocol/preview.ts'
import type { RunSummary } from '../protocol/progress.ts'
import type { PlanPage } from '../protocol/restore-rules.ts'
import { annotateSnapshot, readAnnotations, type AnnotationCache, type Annotations } from '../repository/protocol/annotations.ts'
import { systemRandom } from '../repository/crypto.ts'
import { addPassword, removeKey } from '../repository/keys.ts'
import { readMachines } from '../repository/protocol/machines.ts'
import { annotationPrefix } from '../repository/protocol/names.ts'
import { readDrills } from '../repository/protocol/proofs.ts'
import { resolveSnapshot } from '../repository/protocol/resolve.ts'
import { DecisionCache, listSnapshots, snapshotId, type ReadableSnapshot } from '../repository/protocol/snapshots.ts'
import { rootOf, sourceBytes } from '../snapshot/manifest.ts'
import type { BlobId, TreeNode } from '../snapshot/node.ts'
import { findInTree, iterateTree } from '../snapshot/tree-walk.ts'
import type { CommandContext } from './context.ts'
import { acknowledgeIn } from './acknowledge.ts'
import { changesOf, diffSnapshots, type DiffRequest, type SnapshotDiff } from './diff.ts'
import { heldJob, holdsAmong } from './holds.ts'
import { hostOf } from './host.ts'
import { makeKit, type UnwrittenKit } from './kit.ts'
import { NameSession } from './names/session.ts'
import { wordsOf, type Missed } from './memory.ts'
import { plainSummary } from './plain-summary.ts'
import { compareTexts, previewOf } from './preview/preview.ts'
import { ContentReader } from './serve/content.ts'
import { openReader } from './reader.ts'
import type { Reader } from './reader.ts'
import { journeysOf, partsOf } from './restore/journeys.ts'
import { planPage, planRestore, type PlanStep } from './restore/plan.ts'
import { selectPaths } from './restore/selection.ts'
import { viewTarget } from './restore/target.ts'

/** A query of whoever asked the engine to browse, and where its answer goes. */
export interface BrowseRequest {
  readonly query: BrowseQuery
  readonly answer: (answer: BrowseAnswer) => void
}

type ListQuery = Extract<BrowseQuery, { type: 'list' }>
type AnnotateQuery = Omit<Extract<BrowseQuery, { type: 'annotate' }>, 'type'>
type AnnotateAnswer = Omit<Extract<BrowseAnswer, { type: 'annotated' }>, 'type'>
type MachinesAnswer = Omit<Extract<BrowseAnswer, { type: 'machines' }>, 'type'>
type ListAnswer = Omit<Extract<BrowseAnswer, { type: 'list' }>, 'type'>
type SearchQuery = Omit<Extract<BrowseQuery, { type: 'search' }>, 'type'>
type SearchAnswer = Omit<Extract<BrowseAnswer, { type: 'found' }>, 'type'>
type PlanQuery = Omit<Extract<BrowseQuery, { type: 'plan' }>, 'type'>
type VersionsQuery = Omit<Extract<BrowseQuery, { type: 'versions' }>, 'type'>
type VersionsAnswer = Omit<Extract<BrowseAnswer, { type: 'versions' }>, 'type'>

/** Answers queries, several at once, until there are no more. Errors of a query are its answer. Errors: those of opening. */
export async function serveBrowse(job: BrowseJob, context: CommandContext, requests: AsyncIterable<BrowseRequest>): Promise<RunSummary> {
  const startedMs = context.clock.now()
  await using browser = await openBrowser(job, context)
  const running = new Set<Promise<void>>()
  for await (const { query, answer } of requests) {
    const task = browser.answer(query).then(answer).finally(() => running.delete(task))
    running.add(task)
  }
  await Promise.all(running)
  return plainSummary('browse', startedMs, context.clock.now(), undefined, {})
}

/** Errors: those of opening a repository. */
export async function openBrowser(job: BrowseJob, context: CommandContext): Promise<Browser> {
  return new Browser(await openReader(job, context), job, context)
}

/** Shows snapshots and their folders, fetching no more than it shows. */
export class Browser implements AsyncDisposable {
  readonly #reader: Reader
  readonly #context: CommandContext
  readonly #content: ContentReader
  readonly #decisions = new DecisionCache()
  readonly #annotations: AnnotationCache = new Map()
  /** Snapshot, as it was asked for → its root. A snapshot never changes. */
  readonly #roots = new Map<string, BlobId>()
  readonly #job: BrowseJob
  #missed: readonly Missed[] | undefined
  #held: readonly HeldJob[] = []
  /** From the first search on. */
  #names: Promise<NameSession> | undefined
  /** Begun so far: only the last one goes on. */
  #comparisons = 0

  constructor(reader: Reader, job: BrowseJob, context: CommandContext) {
    this.#reader = reader
    this.#job = job
    this.#content = new ContentReader(reader, context)
    this.#context = context
  }

  /** What the repository lacks of what this machine has seen in it, in words; empty before anything was asked. */
  get missed(): readonly string[] {
    return (this.#missed ?? []).map(wordsOf)
  }

  /** Jobs of which a backup was unusual, as of the last time that the snapshots were asked for. */
  get held(): readonly HeldJob[] {
    return this.#held
  }

  async answer(query: BrowseQuery): Promise<BrowseAnswer> {
    try {
      switch (query.type) {
        case 'snapshots': return { type: 'snapshots', snapshots: await this.snapshots(), missed: this.missed, held: this.held }
        case 'list': return { type: 'list', ...(await this.list(query)) }
        case 'annotate': return { type: 'annotated', ...(await this.annotate(query)) }
        case 'acknowledge': return { type: 'acknowledged', snapshots: await this.acknowledge(query) }
        case 'add-password': return { type: 'password-added', key: await this.addPassword(query.password) }
        case 'make-kit': return { type: 'kit', ...(await this.makeKit()) }
        case 'remove-key':
          await this.removeKey(query.key)
          return { type: 'key-removed' }
        case 'machines': return { type: 'machines', ...(await this.machines()) }
        case 'watched': throw new HoldfastError('unsupported', 'Whoever browses watches nothing.')
        case 'search': return { type: 'found', ...(await this.search(query)) }
        case 'diff': return { type: 'differences', ...(await this.changes(query)) }
        case 'preview': return { type: 'previewed', preview: await previewOf(this.#reader, this.#content, await this.#root(query.snapshot), query.path) }
        case 'compare': return { type: 'compared', comparison: await this.compare(query) }
        case 'plan': return { type: 'planned', ...(await this.planPage(query)) }
        case 'versions': return { type: 'versions', ...(await this.versions(query)) }
        case 'door': throw new HoldfastError('unsupported', 'Whoever browses opens no door.')
        default: return assertNever(query)
      }
    } catch (error) {
      return { type: 'error', error: toWireError(asHoldfastError(error)) }
    }
  }

  /** All that can be read, by time; a damaged one is a warning in the log and hides no other. What is missed is told as problems. */
  async snapshots(): Promise<SnapshotView[]> {
    this.#missed = await this.#reader.memory.warn(this.#context.signal)
    const views: SnapshotView[] = []
    const readable: ReadableSnapshot[] = []
    for (const name of this.#roots.keys()) if (name.startsWith('latest')) this.#roots.delete(name)
    const annotations = await readAnnotations(this.#reader.repository, '', this.#annotations, this.#context.signal)
    this.#tellUnreadable(annotations)
    for await (const entry of listSnapshots(this.#reader.repository, { cache: this.#decisions, memory: this.#reader.memory }, this.#context.signal)) {
      if (entry.type === 'snapshot') {
        views.push(snapshotView(entry, annotations))
        readable.push(entry)
      } else this.#context.log.write('warning', `a snapshot cannot be read: ${entry.error.message}`)
    }
    this.#held = holdsAmong(readable, annotations).map(heldJob)
    void this.#names?.then((names) => { names.know(readable) }, () => undefined)
    return views.sort((a, b) => a.finishedMs - b.finishedMs)
  }

  /** How restore drills ended, the newest first. Errors: those of the storage. */
  async drills(most: number): Promise<readonly DrillProof[]> {
    return (await readDrills(this.#reader.repository, most, this.#context.signal)).drills
  }

  /**
   * A page of a folder. A huge folder costs only the parts that the page shows.
   * Errors: not-found (snapshot, or a folder of this path), damaged, those of the storage.
   */
  async list({ snapshot, path, after, limit }: ListQuery): Promise<ListAnswer> {
    const tree = await this.#folder(await this.#root(snapshot), path)
    const entries: EntryView[] = []
    for await (const node of iterateTree(this.#reader.trees.load, tree, after)) {
      if (entries.length === limit) return { entries, more: true }
      entries.push(entryView(node))
    }
    return { entries, more: false }
  }

  /** Says something about a snapshot. Errors: those of resolveSnapshot and annotateSnapshot. */
  async annotate({ snapshot, change }: AnnotateQuery): Promise<AnnotateAnswer> {
    const { repository, memory } = this.#reader
    this.#missed ??= await memory.warn(this.#context.signal)
    const { manifest, ref } = await resolveSnapshot(repository, snapshot, { host: hostOf(this.#job), memory }, this.#context.signal)
    const annotation = await annotateSnapshot(repository, ref, change, systemRandom, this.#context.signal)
    return { snapshot: snapshotId(manifest, ref), annotation }
  }

  /** Says that what was unusual is as it should be. Errors: those of acknowledgeIn. */
  async acknowledge({ job, host }: { readonly job: string, readonly host: string }): Promise<readonly string[]> {
    const { repository, memory } = this.#reader
    this.#missed ??= await memory.warn(this.#context.signal)
    return (await acknowledgeIn({ repository, memory }, { job, host }, this.#decisions, this.#context.signal)).map(({ id }) => id)
  }

  /** Repeated, it makes one more key. Errors: arguments (no password that every way in would take), those of the storage. */
  addPassword(password: string): Promise<string> {
    const { clock, signal } = this.#context
    return addPassword(this.#reader.repository, { password, label: '' }, { clock, random: systemRandom }, signal)
  }

  /**
   * Entries of all snapshots by parts of their names. The first search begins to take in what the index of names lacks; it goes on beside what is asked.
   * Errors: `aborted` where a newer search was begun, catalog, those of listing the snapshots.
   */
  async search(query: SearchQuery): Promise<SearchAnswer> {
    return (await this.#nameSession()).search(query)
  }

  /** What a path was in the snapshots of the same job and host, as far as they are in the index of names. Errors: those of resolveSnapshot, and of search. */
  async versions({ snapshot, path }: VersionsQuery): Promise<VersionsAnswer> {
    const names = await this.#nameSession()
    const entry = await resolveSnapshot(this.#reader.repository, snapshot, { host: hostOf(this.#job), memory: this.#reader.memory }, this.#context.signal)
    return { versions: names.versions(entry, path), coverage: names.coverage }
  }

  /** How two versions of a text file differ. Errors: as of compareTexts. */
  async compare({ older, newer, path }: { readonly older: string; readonly newer: string; readonly path: Uint8Array }): Promise<TextComparison> {
    return compareTexts(this.#reader, this.#content, { older: await this.#root(older), newer: await this.#root(newer) }, path)
  }

  /** What a restore would meet in its target, entry by entry. @param target absolute. Errors: those of resolveSnapshot, selectPaths, viewTarget, planRestore. */
  async *plan(part: PlannedPart, target: string): AsyncGenerator<PlanStep> {
    const { trees: { load } } = this.#reader
    const root = await this.#root(part.snapshot)
    const selection = await selectPaths(load, root, part.paths, part.except)
    using view = await viewTarget(target)
    yield* planRestore(load, { root, selection, target: view }, this.#context.signal)
  }

  /** Errors: as of plan. */
  async planPage({ target, after, limit, ...part }: PlanQuery): Promise<PlanPage> {
    const { repository, memory, trees: { load } } = this.#reader
    this.#missed ??= await memory.warn(this.#context.signal)
    const parts = await partsOf(part, this.#reader, (snapshot) => resolveSnapshot(repository, snapshot, { host: hostOf(this.#job), memory }, this.#context.signal))
    let homeless = 0
    const journeys = await journeysOf(target, parts, load, () => { homeless += 1 })
    const page = await planPage(load, journeys, { limit, ...(after && { after }) }, this.#context.signal)
    return after || homeless === 0 ? page : { ...page, totals: { ...page.totals, unreadable: { entries: page.totals.unreadable.entries + homeless, bytes: page.totals.unreadable.bytes } } }
  }

  /** Resolves when the index of names has all that it can have. Errors: as of search. */
  async filled(): Promise<void> {
    await (await this.#nameSession()).filled()
  }

  /** Repeated, it makes one more. Errors: those of makeKit. */
  makeKit(): Promise<UnwrittenKit> {
    return makeKit(this.#reader.repository, this.#job.repository, this.#context)
  }

  /** Errors: those of removeKey; `arguments` with `data.reason` `current` for the one that opened the repository here, which has no other way in. */
  async removeKey(key: string): Promise<void> {
    const { repository } = this.#reader
    if (key === repository.keyName) throw new HoldfastError('arguments', 'This key is the one that opens the repository here.', { data: { reason: 'current' } })
    await removeKey(repository, key, this.#context.signal)
  }

  /** What machines left for others to take their place, and which repository this is. Errors: those of the storage. */
  async machines(): Promise<MachinesAnswer> {
    const { repository } = this.#reader
    const machines = await readMachines(repository, this.#context.signal)
    return { repositoryId: repository.config.repositoryId, machines: machines.map(({ host, user, savedMs, settings }) => ({ host, user, savedMs, settings })) }
  }

  /** What differs between two snapshots. Errors: those of diffSnapshots. */
  async diff(request: DiffRequest): Promise<SnapshotDiff> {
    this.#missed ??= await this.#reader.memory.warn(this.#context.signal)
    return diffSnapshots(this.#reader, hostOf(this.#job), request, this.#context)
  }

  /** What a snapshot changed; of the first one of a job and host, that there is none before. Errors: those of changesOf. */
  async changes(query: { readonly snapshot: string, readonly limit: number }): Promise<SnapshotChanges> {
    const number = ++this.#comparisons
    this.#missed ??= await this.#reader.memory.warn(this.#context.signal)
    return changesOf(this.#reader, hostOf(this.#job), query, () => number === this.#comparisons, this.#context)
  }

  #tellUnreadable({ found, unknown }: Annotations): void {
    for (const { object, error } of [...unknown, ...[...found.values()].flatMap(({ unreadable }) => unreadable)]) {
      this.#context.log.write('warning', `what was said about a snapshot cannot be read (${object}): ${error.message}`)
    }
  }

  /** Where it cannot be opened, the next one who asks tries again. */
  #nameSession(): Promise<NameSession> {
    return (this.#names ??= this.#openNames().catch((error: unknown) => {
      this.#names = undefined
      throw error
    }))
  }

  async #openNames(): Promise<NameSession> {
    const readable: ReadableSnapshot[] = []
    this.#missed ??= await this.#reader.memory.warn(this.#context.signal)
    for await (const entry of listSnapshots(this.#reader.repository, { cache: this.#decisions, memory: this.#reader.memory }, this.#context.signal)) {
      if (entry.type === 'snapshot') readable.push(entry)
    }
    const names = new NameSession(this.#reader, this.#job.home, this.#context)
    names.know(readable)
    return names
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#names?.catch(() => undefined))?.[Symbol.asyncDispose]()
    await this.#reader[Symbol.asyncDispose]()
  }

  async #root(snapshot: string): Promise<BlobId> {
    const known = this.#roots.get(snapshot)
    if (known) return known
    const { repository, memory } = this.#reader
    this.#missed ??= await memory.warn(this.#context.signal)
    const { manifest } = await resolveSnapshot(repository, snapshot, { host: hostOf(this.#job), memory }, this.#context.signal)
    const root = rootOf(manifest)
    this.#roots.set(snapshot, root)
    return root
  }

  async #folder(root: BlobId, path: Uint8Array): Promise<BlobId> {
    let tree = root
    for (const name of namesOf(path)) {
      const node = await findInTree(this.#reader.trees.load, tree, Buffer.from(name, 'latin1'))
      if (!node) throw new HoldfastError('not-found', `The snapshot holds no ${toShown(fromBytes(path))}.`)
      if (node.type !== 'directory') throw new HoldfastError('not-found', `${toShown(fromBytes(path))} is no folder.`)
      tree = node.tree
    }
    return tree
  }
}

function snapshotView({ manifest, ref }: ReadableSnapshot, annotations: Annotations): SnapshotView {
  const { job, host, startedMs, finishedMs, counters, problems } = manifest
  const annotation = annotations.found.get(annotationPrefix(ref))?.annotation
  return {
    id: snapshotId(manifest, ref),
    job,
    revision: ref.revision,
    host,
    sources: manifest.sources.map((source) => toShown(fromBytes(sourceBytes(source).path))),
    startedMs,
    finishedMs,
    files: counters.files,
    bytes: counters.bytes,
    problems,
    ...(manifest.unusual && annotation?.fine !== true ? { unusual: manifest.unusual } : {}),
    ...(annotation && (annotation.pinned || annotation.name !== '' || annotation.note !== '') ? { annotation } : {}),
  }
}

function entryView(node: TreeNode): EntryView {
  return {
    // A copy: the node's name is a view of its whole tree.
    name: copyOf(node.name),
    shown: toShown(fromBytes(node.name)),
    type: node.type,
    mtimeMs: Math.floor(Number(node.mtimeNs / 1000n) / 1000),
    ...(node.type === 'file' ? { size: node.size } : {}),
    ...(node.type === 'symlink' ? { linkTarget: toShown(fromBytes(node.target)) } : {}),
  }
}
