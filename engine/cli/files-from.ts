import { isUtf8 } from 'node:buffer'
import { open } from 'node:fs/promises'
import { fromShown, toBytes } from '../base/byte-string.ts'
import { HoldfastError } from '../base/errors.ts'
import { readBounded } from './bounded.ts'
import { typedFile } from './typed.ts'

const maxListBytes = 32 * 1024 * 1024
const maxEntries = 100_000

/** Options that name lists of paths; both may be given, and more than once. */
export interface ListOptions {
  readonly filesFrom?: readonly string[]
  readonly filesFrom0?: readonly string[]
}

/** What a line of a list is: text that a person could have typed, or the exact bytes of a path. */
export type ListedPath = { readonly type: 'text'; readonly text: string } | { readonly type: 'bytes'; readonly bytes: Uint8Array }

/**
 * The paths of `--files-from` (one a line, as `ls` prints them or as they are) and `--files-from0` (each ended by a zero byte, exact).
 * Empty lines count as nothing. Errors: arguments, also for lists that name nothing at all.
 */
export async function readLists(options: ListOptions): Promise<ListedPath[]> {
  const found: ListedPath[] = []
  for (const file of options.filesFrom ?? []) found.push(...linesOf(await read('--files-from', file), file))
  for (const file of options.filesFrom0 ?? []) found.push(...exactOf(await read('--files-from0', file), file))
  if (found.length === 0 && (options.filesFrom ?? options.filesFrom0)) throw new HoldfastError('arguments', 'The lists of paths are empty.')
  if (found.length > maxEntries) throw new HoldfastError('arguments', `The lists name ${found.length} paths; at most ${maxEntries} can be taken. Name the folders that they lie in.`)
  return found
}

/** The exact bytes of a path inside a snapshot, as a list has it. */
export function snapshotPath(path: ListedPath): Uint8Array {
  return path.type === 'bytes' ? path.bytes : printedPath(path.text)
}

/** The same of one that is typed as `ls` prints it. */
export function printedPath(text: string): Uint8Array {
  return toBytes(fromShown(text))
}

async function read(option: string, text: string): Promise<Buffer> {
  const tooLong = (): HoldfastError => new HoldfastError('arguments', `${option}: the list ${text} is longer than 32 MiB. Name the folders that its paths lie in.`)
  if (text === '-') return Buffer.from(await readBounded(process.stdin, maxListBytes, tooLong))
  const path = typedFile(option, text)
  try {
    await using file = await open(path, 'r')
    return Buffer.from(await readBounded(file.createReadStream({ autoClose: false }), maxListBytes, tooLong))
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause
    throw new HoldfastError('arguments', `${option}: the list ${path} cannot be read.`, { cause })
  }
}

function linesOf(bytes: Buffer, file: string): ListedPath[] {
  if (bytes.includes(0)) throw new HoldfastError('arguments', `The list ${file} holds zero bytes: it is one for --files-from0, or UTF-16.`)
  const lines = split(bytes.subarray(bytes.subarray(0, 3).toString('latin1') === '\xef\xbb\xbf' ? 3 : 0), 0x0a)
  return lines.map((line) => (line.at(-1) === 0x0d ? line.subarray(0, -1) : line)).filter((line) => line.length > 0)
    .map((line): ListedPath => (isUtf8(line) ? { type: 'text', text: line.toString('utf8') } : { type: 'bytes', bytes: line }))
}

function exactOf(bytes: Buffer, file: string): ListedPath[] {
  if (bytes.length > 0 && !bytes.includes(0)) throw new HoldfastError('arguments', `The list ${file} holds no zero bytes: it is one for --files-from. (find has -print0.)`)
  return split(bytes, 0).filter((path) => path.length > 0).map((path) => ({ type: 'bytes', bytes: path }))
}

function split(bytes: Buffer, at: number): Buffer[] {
  const parts: Buffer[] = []
  let start = 0
  for (let end = bytes.indexOf(at); end >= 0; end = bytes.indexOf(at, start)) {
    parts.push(bytes.subarray(start, end))
    start = end + 1
  }
  return [...parts, bytes.subarray(start)]
}
