import { isUtf8 } from 'node:buffer'
import { structuredPatch } from 'diff'
import { namesOf, toBytes, toShown } from '../../base/byte-string.ts'
import { HoldfastError } from '../../base/errors.ts'
import { mostComparedBytes, mostComparedLines, mostImageBytes, mostPixels, mostTextBytes, type FilePreview, type TextComparison, type TextHunk } from '../../protocol/preview.ts'
import type { BlobId, FileNode, TreeNode } from '../../snapshot/node.ts'
import { findInTree } from '../../snapshot/tree-walk.ts'
import type { Reader } from '../reader.ts'
import type { ContentReader } from '../serve/content.ts'
import { imageFacts } from './image.ts'

/** Of a comparison, before it is given up. */
const mostEdits = 20_000
const patienceMs = 3000
/** Of a line that is told. */
const longestLine = 2000

/** What a file holds, as far as it can be shown. Reads no more than that. Errors: not-found, damaged, those of the storage. */
export async function previewOf(reader: Pick<Reader, 'trees'>, content: ContentReader, root: BlobId, path: Uint8Array): Promise<FilePreview> {
  const node = await entryAt(reader, root, path)
  if (node.type !== 'file') return { kind: 'none', reason: 'no-file', size: 0 }
  const { size } = node
  if (size === 0) return { kind: 'none', reason: 'empty', size }
  const start = await bytesOf(content, node, mostTextBytes)
  const text = textOf(start, start.length < size)
  if (text !== undefined) return { kind: 'text', text, size, complete: start.length === size }
  // The size of a photograph stands behind a small picture of it: before all is read, its kind is enough.
  if (!isImage(start)) return { kind: 'none', reason: 'binary', size }
  if (size > mostImageBytes) return { kind: 'none', reason: 'large', size }
  const bytes = start.length === size ? start : await bytesOf(content, node, size)
  const facts = imageFacts(bytes)
  if (!facts) return { kind: 'none', reason: 'binary', size }
  return facts.width * facts.height > mostPixels ? { kind: 'none', reason: 'large', size } : { kind: 'image', ...facts, bytes: Uint8Array.from(bytes), size }
}

/** How two versions of a file differ, line by line. Errors: as of previewOf. */
export async function compareTexts(reader: Pick<Reader, 'trees'>, content: ContentReader, roots: { readonly older: BlobId; readonly newer: BlobId }, path: Uint8Array): Promise<TextComparison> {
  const texts: string[] = []
  for (const root of [roots.older, roots.newer]) {
    const node = await entryAt(reader, root, path)
    if (node.type !== 'file') return { kind: 'none', reason: 'no-file' }
    if (node.size > mostComparedBytes) return { kind: 'none', reason: 'large' }
    const text = textOf(await bytesOf(content, node, node.size), false)
    if (text === undefined) return { kind: 'none', reason: 'binary' }
    texts.push(text)
  }
  const [older = '', newer = ''] = texts
  return older === newer ? { kind: 'same' } : comparisonOf(older, newer)
}

function comparisonOf(older: string, newer: string): TextComparison {
  const patch = structuredPatch('', '', older, newer, '', '', { context: 3, maxEditLength: mostEdits, timeout: patienceMs })
  if (!patch) return { kind: 'none', reason: 'many' }
  const hunks: TextHunk[] = []
  let [added, removed, told, complete] = [0, 0, 0, true]
  for (const { oldStart, newStart, lines } of patch.hunks) {
    const shown: TextHunk['lines'][number][] = []
    for (const line of lines) {
      const kind = line.startsWith('+') ? 'added' : line.startsWith('-') ? 'removed' : 'same'
      if (line.startsWith('\\')) continue
      if (kind === 'added') added += 1
      if (kind === 'removed') removed += 1
      if (told < mostComparedLines) shown.push({ kind, text: line.slice(1, longestLine + 1) })
      else complete = false
      told += 1
    }
    if (shown.length > 0) hunks.push({ olderLine: oldStart, newerLine: newStart, lines: shown })
  }
  return { kind: 'lines', hunks, added, removed, complete }
}

/** Undefined for what is no text. @param cut more follows, so that its last character may be half */
function textOf(bytes: Buffer, cut: boolean): string | undefined {
  if (bytes.length >= 2 && bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2, bytes.length - (bytes.length % 2))
  let end = bytes.length
  if (cut) for (let back = 1; back <= 4 && back <= bytes.length; back++) {
    const byte = bytes[bytes.length - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    if (byte >= 0xc0) end = bytes.length - back
    break
  }
  const text = bytes.subarray(0, end)
  return !text.includes(0) && isUtf8(text) ? text.toString('utf8').replace(/^\ufeff/, '') : undefined
}

function isImage(start: Buffer): boolean {
  return /^(?:\x89PNG|GIF8|RIFF....WEBP|\xff\xd8\xff)/s.test(start.toString('latin1', 0, 12))
}

async function bytesOf(content: ContentReader, node: FileNode, most: number): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of content.read(node, 0, Math.min(node.size, most))) parts.push(Buffer.from(part))
  return Buffer.concat(parts)
}

async function entryAt({ trees: { load } }: Pick<Reader, 'trees'>, root: BlobId, path: Uint8Array): Promise<TreeNode> {
  let tree: BlobId | undefined = root
  let found: TreeNode | undefined
  for (const name of namesOf(path)) {
    found = tree && (await findInTree(load, tree, toBytes(name)))
    tree = found?.type === 'directory' ? found.tree : undefined
    if (!found) break
  }
  if (!found) throw new HoldfastError('not-found', `The snapshot holds no ${toShown(namesOf(path).join('/'))}.`)
  return found
}
