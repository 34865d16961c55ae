/**
 * Paths inside a snapshot are bytes. As keys of maps they are strings of one character a byte, so that names which are not UTF-8
 * stay exact and a path is never decoded to be compared.
 */
export type PathKey = string

const slash = 0x2f

export function pathKey(path: Uint8Array): PathKey {
  let key = ''
  for (const byte of path) key += String.fromCharCode(byte)
  return key
}

export function pathBytes(key: PathKey): Uint8Array {
  return Uint8Array.from(key, (character) => character.charCodeAt(0))
}

/** The root is the empty path. */
export function joinPath(parent: Uint8Array, name: Uint8Array): Uint8Array {
  if (parent.length === 0) return name
  const path = new Uint8Array(parent.length + 1 + name.length)
  path.set(parent)
  path[parent.length] = slash
  path.set(name, parent.length + 1)
  return path
}

/** Whether `path` lies below `folder`; a path is not below itself. */
export function isBelow(path: PathKey, folder: PathKey): boolean {
  return folder === '' ? path !== '' : path.startsWith(`${folder}/`)
}
