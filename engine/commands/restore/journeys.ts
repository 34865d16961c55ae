import { dirname, basename } from 'node:path'
import { fromBytes, fromText, type ByteString } from '../../base/byte-string.ts'
import { copyOf } from '../../base/bytes.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { RestoreInto, RestoreJob, RestorePart } from '../../protocol/job.ts'
import type { resolveSnapshot } from '../../repository/protocol/resolve.ts'
import { snapshotId } from '../../repository/protocol/snapshots.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import { rootOf, sourceBytes, type Manifest } from '../../snapshot/manifest.ts'
import type { BlobId, TreeNode } from '../../snapshot/node.ts'
import { findInTree } from '../../snapshot/tree-walk.ts'
import type { Reader } from '../reader.ts'
import { besideLabel } from './beside.ts'
import type { EarlierFolder } from './earlier.ts'
import { selectionOf, selectPaths, type Selection } from './selection.ts'

/** What of a snapshot is restored, found. */
export interface FoundPart extends RestorePart {
  /** `JOB@REV` */
  readonly id: string
  readonly manifest: Manifest
  readonly root: BlobId
  readonly selection: Selection
  /** What of the selection is written: all of it, unless what failed is tried again. */
  readonly wanted: Selection
  /** Told in the names of what goes beside something; no two parts have the same. */
  readonly label: string
}

/** A part, or a source of it, on its way to one folder. */
export interface Journey {
  readonly part: FoundPart
  readonly target: string
  readonly root: BlobId
  readonly wanted: Selection
  /** Where in the snapshot `root` is. */
  readonly below: ByteString
  readonly earlier: readonly EarlierFolder[]
}

/** Errors: those of `choose`; not-found for a path that a snapshot does not hold; those of the storage. */
export async function partsOf(job: RestorePart & Pick<RestoreJob, 'more'>, { trees: { load } }: Pick<Reader, 'trees'>, choose: (snapshot: string) => ReturnType<typeof resolveSnapshot>): Promise<readonly [FoundPart, ...FoundPart[]]> {
  const labels = new Set<string>()
  const find = async (part: RestorePart): Promise<FoundPart> => {
    const { manifest, ref } = await choose(part.snapshot)
    const root = rootOf(manifest)
    const selection = await selectPaths(load, root, part.paths, part.except)
    const wanted = part.only ? await selectPaths(load, root, part.only) : selection
    return { snapshot: part.snapshot, paths: part.paths, ...(part.except && { except: part.except }), ...(part.only && { only: part.only }), id: snapshotId(manifest, ref), manifest, root, selection, wanted: part.only?.length === 0 ? 'nothing' : wanted, label: labelOf(manifest, labels) }
  }
  const first = await find(job)
  const more: FoundPart[] = []
  for (const part of job.more ?? []) more.push(await find(part))
  return [first, ...more]
}

/** A source of a part that has no place: it was in no folder that may be restored to. */
export type OnHomeless = (part: FoundPart, source: { readonly name: ByteString; readonly path: ByteString }) => void

/** Where each part goes, in order. Errors: not-found where nothing has a place, those of the storage. */
export async function journeysOf(target: RestoreInto, parts: readonly FoundPart[], load: LoadTree, onHomeless: OnHomeless): Promise<readonly Journey[]> {
  if (typeof target !== 'string') return originsOf(target.origins, parts, load, onHomeless)
  return parts.map((part, index) => ({
    part, target, root: part.root, wanted: part.wanted, below: '', earlier: parts.slice(0, index).map(({ root, selection, label }) => ({ tree: root, selection, label })),
  }))
}

/** Each source that was a folder goes back into it; one that was a file, into the folder that it was in. Errors: not-found where nothing has a place. */
async function originsOf(origins: readonly string[], parts: readonly FoundPart[], load: LoadTree, onHomeless: OnHomeless): Promise<readonly Journey[]> {
  const allowed = new Map(origins.map((path) => [fromText(path), path]))
  const journeys: Journey[] = []
  const before = new Map<ByteString, EarlierFolder[]>()
  for (const part of parts) {
    for (const source of part.manifest.sources.map(sourceBytes)) {
      const name = fromBytes(source.name)
      const wanted = selectionOf(part.wanted, name)
      if (selectionOf(part.selection, name) === 'nothing') continue
      const node = await findInTree(load, part.root, source.name)
      const path = allowed.get(fromBytes(source.path))
      const home = node && path !== undefined ? homeOf(node, name, path, part) : undefined
      if (!home) {
        if (wanted !== 'nothing') onHomeless(part, { name, path: fromBytes(source.path) })
        continue
      }
      const earlier = before.get(fromText(home.target)) ?? []
      if (wanted !== 'nothing') journeys.push({ part, target: home.target, root: home.root, wanted: home.narrow(part.wanted), below: home.below, earlier: [...earlier] })
      earlier.push({ tree: home.root, selection: home.narrow(part.selection), label: part.label })
      before.set(fromText(home.target), earlier)
    }
  }
  if (journeys.length === 0) throw new HoldfastError('not-found', 'Nothing of this was in a folder that this job backs up here. Choose a folder to restore it to.', { data: { reason: 'no-origin' } })
  return journeys
}

interface Home {
  readonly target: string
  readonly root: BlobId
  readonly below: ByteString
  readonly narrow: (selection: Selection) => Selection
}

/** Undefined for a file that has another name in the snapshot than it had. */
function homeOf(node: TreeNode, name: ByteString, path: string, part: FoundPart): Home | undefined {
  if (node.type === 'directory') return { target: path, root: copyOf(node.tree), below: name, narrow: (selection) => selectionOf(selection, name) }
  if (fromText(basename(path)) !== name) return undefined
  return { target: dirname(path), root: part.root, below: '', narrow: (selection) => ({ entries: new Map([[name, selectionOf(selection, name)]]), others: 'nothing' }) }
}

function labelOf({ finishedMs }: Manifest, taken: Set<string>): string {
  const minute = besideLabel(finishedMs)
  const second = `${minute}.${String(new Date(finishedMs).getSeconds()).padStart(2, '0')}`
  let label = taken.has(minute) ? second : minute
  for (let number = 2; taken.has(label); number++) label = `${second} ${String(number)}`
  taken.add(label)
  return label
}
