import { createRequire } from 'node:module'

/** Calls of the C library that Node lacks. All give -1 where they fail; `errno` then tells why. */
export interface Libc {
  /** `name` is text that is ASCII, or bytes with a final zero. */
  readonly statx: (folder: number, name: string | Buffer, flags: number, mask: number, result: Buffer) => number
  readonly flistxattr: (descriptor: number, list: Buffer | null, size: number) => number
  readonly fgetxattr: (descriptor: number, name: Buffer, value: Buffer, size: number) => number
  readonly listxattr: ListOfPath
  readonly getxattr: GetOfPath
  /** As the two above, of a symlink itself. */
  readonly llistxattr: ListOfPath
  readonly lgetxattr: GetOfPath
  /** For commands that take a `struct flock`. */
  readonly fcntl: (descriptor: number, command: number, lock: Buffer) => number
  /** The system's code of the last failure, e.g. EACCES. */
  readonly errno: () => string
}

type ListOfPath = (path: Buffer, list: Buffer, size: number) => number
type GetOfPath = (path: Buffer, name: Buffer, value: Buffer, size: number) => number

let loaded: { readonly libc: Libc | undefined } | undefined

/** The library, once for each thread; undefined off Linux, and where koffi does not load. Takes about 5 ms the first time. */
export function libc(): Libc | undefined {
  loaded ??= { libc: process.platform === 'linux' && ['x64', 'arm64'].includes(process.arch) ? load() : undefined }
  return loaded.libc
}

type Koffi = typeof import('koffi')

function load(): Libc | undefined {
  try {
    // Not a static import: a backup goes on without it.
    const koffi = createRequire(import.meta.url)('koffi') as Koffi
    const library = koffi.load(null)
    const statxText = library.func('int statx(int folder, const char *name, int flags, uint32_t mask, uint8_t *result)') as Libc['statx']
    const statxBytes = library.func('int statx(int folder, const uint8_t *name, int flags, uint32_t mask, uint8_t *result)') as Libc['statx']
    const codes = new Map(Object.entries(koffi.os.errno).map(([code, number]) => [number, code]))
    return {
      statx: (folder, name, flags, mask, result) => (typeof name === 'string' ? statxText : statxBytes)(folder, name, flags, mask, result),
      flistxattr: library.func('intptr_t flistxattr(int descriptor, uint8_t *list, size_t size)') as Libc['flistxattr'],
      fgetxattr: library.func('intptr_t fgetxattr(int descriptor, const uint8_t *name, uint8_t *value, size_t size)') as Libc['fgetxattr'],
      listxattr: library.func('intptr_t listxattr(const uint8_t *path, uint8_t *list, size_t size)') as Libc['listxattr'],
      getxattr: library.func('intptr_t getxattr(const uint8_t *path, const uint8_t *name, uint8_t *value, size_t size)') as Libc['getxattr'],
      llistxattr: library.func('intptr_t llistxattr(const uint8_t *path, uint8_t *list, size_t size)') as Libc['llistxattr'],
      lgetxattr: library.func('intptr_t lgetxattr(const uint8_t *path, const uint8_t *name, uint8_t *value, size_t size)') as Libc['lgetxattr'],
      fcntl: library.func('int fcntl(int descriptor, int command, uint8_t *lock)') as Libc['fcntl'],
      errno: () => codes.get(koffi.errno()) ?? `errno ${String(koffi.errno())}`,
    }
  } catch {
    return undefined
  }
}
