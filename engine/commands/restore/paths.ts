import type { ByteString } from '../../base/byte-string.ts'
import type { EntryPlace } from '../../target/folders.ts'

/** An entry's path below the target. */
export function pathOf({ folder, name }: EntryPlace): ByteString {
  return folder.path === '' ? name : `${folder.path}/${name}`
}
