import { toBytes, type ByteString } from '../../base/byte-string.ts'
import type { LoadTree } from '../../snapshot/content.ts'
import type { BlobId } from '../../snapshot/node.ts'
import { findInTree } from '../../snapshot/tree-walk.ts'

/** So many names are tried beside one that is taken. */
const mostNames = 1000

/** Names for a file beside what stands in its place, one after the other; none of them is that of another entry that is restored there. */
export type BesideNames = (name: ByteString) => AsyncIterable<ByteString>

/** @param label told in the names; @param tree the folder of the snapshot that the file is in */
export function besideNames(load: LoadTree, tree: BlobId, label: string): BesideNames {
  return async function* (name) {
    for (let number = 1; number <= mostNames; number++) {
      const beside = besideName(name, label, number)
      if (!(await findInTree(load, tree, toBytes(beside)))) yield beside
    }
  }
}

/**
 * The name of a file beside another one: `letter (2026-03-01 12.30).txt`, or `letter (2026-03-01 12.30) 2.txt` as the second. Names that differ stay
 * different, so that no two files of a folder get the same one.
 */
export function besideName(name: ByteString, label: string, number: number): ByteString {
  const ending = /(?:\.tar)?\.[A-Za-z0-9]{1,12}$/.exec(name)
  // A name that only begins with dots has no ending.
  const at = ending && /[^.]/.test(name.slice(0, ending.index)) ? ending.index : name.length
  return `${name.slice(0, at)} (${label})${number > 1 ? ` ${String(number)}` : ''}${name.slice(at)}`
}

/** When a snapshot was finished, by the clock on this machine's wall; without characters that some file systems refuse. */
export function besideLabel(finishedMs: number): string {
  const at = new Date(finishedMs)
  const two = (value: number): string => String(value).padStart(2, '0')
  return `${String(at.getFullYear())}-${two(at.getMonth() + 1)}-${two(at.getDate())} ${two(at.getHours())}.${two(at.getMinutes())}`
}
