import { fromBytes, type ByteString } from '../../base/byte-string.ts'
import { copyOf } from '../../base/bytes.ts'
import { hasCode } from '../../base/errors.ts'
import type { SnapshotEntry } from '../../repository/protocol/snapshots.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { BlobId, ContentRef, FileNode } from '../../snapshot/node.ts'
import { rootOf } from '../../snapshot/manifest.ts'
import { sampleWeight, shuffled, WeightedSample, type Chance } from '../../snapshot/sampling.ts'
import { iterateTree } from '../../snapshot/tree-walk.ts'

export type DrillSnapshot = Extract<SnapshotEntry, { type: 'snapshot' }>

/** Snapshots that a drill takes files from, and entries that it looks at in each: of a larger one it sees some folders, by chance. */
const snapshotsADrill = 3
const entriesASnapshot = 200_000
const foldersWaiting = 50_000

/** A file that is to be restored: what is recorded of it. */
export interface SampledFile extends Pick<FileNode, 'size' | 'mtimeNs' | 'ctimeNs' | 'inode'> {
  readonly snapshot: DrillSnapshot
  /** Exact bytes from the snapshot's root, without a slash in front. */
  readonly path: ByteString
  readonly content: ContentRef
}

export interface SampleOptions {
  readonly files: number
  readonly bytes: number
  readonly chance: Chance
  /** ms since 1970. */
  readonly nowMs: number
  /** A folder that cannot be read. */
  readonly onDamage: (snapshot: DrillSnapshot, path: ByteString, error: Error) => void
}

/** The newest of one job on one host, and others of any age. */
export function chooseSnapshots(snapshots: readonly DrillSnapshot[], chance: Chance): readonly DrillSnapshot[] {
  const groups = [...Map.groupBy(snapshots, ({ manifest: { job, host } }) => `${job}\0${host}`).values()]
  const [group = []] = shuffled(groups, chance)
  const newest = group.toSorted((a, b) => b.manifest.finishedMs - a.manifest.finishedMs)[0]
  if (!newest) return []
  return [newest, ...shuffled(snapshots.filter((each) => each !== newest), chance).slice(0, snapshotsADrill - 1)]
}

/** Files of the snapshots by chance, likelier the older and larger they are. Errors: those of the storage. */
export async function sampleFiles(load: LoadTree, snapshots: readonly DrillSnapshot[], options: SampleOptions, signal: AbortSignal): Promise<readonly SampledFile[]> {
  const sample = new WeightedSample<SampledFile>(options.files, options.chance)
  for (const snapshot of snapshots) await offerFiles(load, snapshot, sample, options, signal)
  return sample.take(options.files, options.bytes)
}

interface Waiting {
  readonly tree: BlobId
  readonly path: ByteString
}

async function offerFiles(load: LoadTree, snapshot: DrillSnapshot, sample: WeightedSample<SampledFile>, options: SampleOptions, signal: AbortSignal): Promise<void> {
  const { chance, nowMs, bytes } = options
  const waiting: Waiting[] = [{ tree: rootOf(snapshot.manifest), path: '' }]
  let entries = 0
  for (let folder = waiting.pop(); folder && entries < entriesASnapshot; folder = waiting.pop()) {
    const { path } = folder
    const below: Waiting[] = []
    try {
      for await (const node of iterateTree(load, folder.tree)) {
        signal.throwIfAborted()
        entries++
        const name = path === '' ? fromBytes(node.name) : `${path}/${fromBytes(node.name)}`
        if (node.type === 'directory') below.push({ tree: copyOf(node.tree), path: name })
        else if (node.type === 'file' && node.size > 0 && node.size <= bytes) {
          sample.offer(node.size, sampleWeight(node.size, nowMs - Number(node.mtimeNs / 1_000_000n)), () => recordOf(snapshot, name, node))
        }
      }
    } catch (error) {
      if (!hasCode(error, 'damaged', 'not-found')) throw error
      options.onDamage(snapshot, path, error)
    }
    waiting.push(...shuffled(below, chance).slice(0, Math.max(0, foldersWaiting - waiting.length)))
  }
}

/** Copies: a node is a view of its whole folder. */
function recordOf(snapshot: DrillSnapshot, path: ByteString, { size, mtimeNs, ctimeNs, inode, content }: FileNode): SampledFile {
  return { snapshot, path, size, mtimeNs, ctimeNs, inode, content: { depth: content.depth, ids: content.ids.map(copyOf) } }
}
