import { basename, dirname } from 'node:path'
import { fromText } from '../../../engine/base/byte-string.ts'
import { loadSystemCalls } from '../../../engine/target/system-calls.ts'

/** Gives a file a time to the nanosecond. */
export async function setModified(path: string, mtimeNs: bigint): Promise<void> {
  const calls = await loadSystemCalls()
  const folder = calls.openRoot(Buffer.from(dirname(path)))
  const entry = calls.openEntry(folder, fromText(basename(path)))
  calls.setModified(entry, mtimeNs)
  calls.closeEntry(entry)
  calls.closeFolder(folder)
}
