import { fromBytes, toShown } from '../base/byte-string.ts'
import type { TreeNode } from '../snapshot/node.ts'
import type { Difference, DifferenceKind } from '../snapshot/tree-diff.ts'
import { formatBytes } from './format.ts'

/** The letters of restic's `diff`, which people know. */
const marks: Readonly<Record<DifferenceKind, string>> = { added: '+', removed: '-', content: 'M', metadata: 'U', type: 'T' }

/** How many entries differ in a way, and how many bytes the files among them have: before where they are gone, else after. */
interface DiffTotal {
  entries: number
  bytes: number
}

export type DiffTotals = Readonly<Record<DifferenceKind, DiffTotal>>

/** Counts what differs. Memory: ten numbers. */
export class DiffCounter {
  readonly totals: DiffTotals = { added: total(), removed: total(), content: total(), metadata: total(), type: total() }

  add({ kind, before, after }: Difference): void {
    const node = after ?? before
    this.totals[kind].entries++
    this.totals[kind].bytes += node?.type === 'file' ? node.size : 0
  }
}

function total(): DiffTotal {
  return { entries: 0, bytes: 0 }
}

/** `pathBytes` (base64) is there where the path is not valid UTF-8. */
export function differenceJson({ kind, path, before, after }: Difference): Readonly<Record<string, unknown>> {
  const shown = toShown(fromBytes(path))
  const exact = Buffer.from(path).equals(Buffer.from(shown)) ? {} : { pathBytes: Buffer.from(path).toString('base64') }
  return { type: 'difference', difference: kind, path: shown, ...exact, ...(before ? { before: entryJson(before) } : {}), ...(after ? { after: entryJson(after) } : {}) }
}

function entryJson(node: TreeNode): Readonly<Record<string, unknown>> {
  return { kind: node.type, mtimeMs: Number(node.mtimeNs / 1_000_000n), mode: node.mode, uid: node.uid, gid: node.gid, ...(node.type === 'file' ? { size: node.size } : {}) }
}

/** One line: `M  photos/list.txt`. */
export function differenceLine({ kind, path, before, after }: Difference): string {
  return `${marks[kind]}  ${toShown(fromBytes(path))}${(after ?? before)?.type === 'directory' ? '/' : ''}`
}

/** What it comes to, in words. */
export function diffSummary({ added, removed, content, metadata, type }: DiffTotals, { withMetadata }: { readonly withMetadata: boolean }): string {
  const said = (words: string, { entries, bytes }: DiffTotal): string => `${String(entries)} ${words}${bytes > 0 ? ` (${formatBytes(bytes)})` : ''}`
  const parts = [said('new', added), said('gone', removed), said('changed', content)]
  if (type.entries > 0) parts.push(`${String(type.entries)} of another type`)
  if (metadata.entries > 0) parts.push(`${String(metadata.entries)} with other times, rights or attributes only${withMetadata ? '' : ' (--metadata shows them)'}`)
  return `${parts.join(', ')}.`
}
