import { fromBytes, toShown } from '../base/byte-string.ts'
import type { DifferenceKind, DifferenceTotal, DifferenceTotals } from '../protocol/messages.ts'
import type { TreeNode } from '../snapshot/node.ts'
import type { Difference } from '../snapshot/tree-diff.ts'
import { formatBytes } from './format.ts'
import { exactBytes } from './json-output.ts'

/** The letters of restic's `diff`, which people know. */
const marks: Readonly<Record<DifferenceKind, string>> = { added: '+', removed: '-', content: 'M', metadata: 'U', type: 'T' }

/** `pathBytes` (base64) is there where the path is not valid UTF-8. */
export function differenceJson({ kind, path, before, after }: Difference): Readonly<Record<string, unknown>> {
  const shown = toShown(fromBytes(path))
  return { type: 'difference', difference: kind, path: shown, ...exactBytes('pathBytes', path, shown), ...(before ? { before: entryJson(before) } : {}), ...(after ? { after: entryJson(after) } : {}) }
}

function entryJson(node: TreeNode): Readonly<Record<string, unknown>> {
  return { kind: node.type, mtimeMs: Number(node.mtimeNs / 1_000_000n), mode: node.mode, uid: node.uid, gid: node.gid, ...(node.type === 'file' ? { size: node.size } : {}) }
}

/** One line: `M  photos/list.txt`. */
export function differenceLine({ kind, path, before, after }: Difference): string {
  return `${marks[kind]}  ${toShown(fromBytes(path))}${(after ?? before)?.type === 'directory' ? '/' : ''}`
}

/** What it comes to, in words. */
export function diffSummary({ added, removed, content, metadata, type }: DifferenceTotals, { withMetadata }: { readonly withMetadata: boolean }): string {
  const said = (words: string, { entries, bytes }: DifferenceTotal): string => `${String(entries)} ${words}${bytes > 0 ? ` (${formatBytes(bytes)})` : ''}`
  const parts = [said('new', added), said('gone', removed), said('changed', content)]
  if (type.entries > 0) parts.push(`${String(type.entries)} of another type`)
  if (metadata.entries > 0) parts.push(`${String(metadata.entries)} with other times, rights or attributes only${withMetadata ? '' : ' (--metadata shows them)'}`)
  return `${parts.join(', ')}.`
}
