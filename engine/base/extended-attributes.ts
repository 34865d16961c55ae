import type { ByteString } from './byte-string.ts'
import { libc, type Libc } from './libc.ts'

/** Name with its name space, and value, in exact bytes. */
export interface ExtendedAttribute {
  readonly name: Uint8Array
  readonly value: Uint8Array
}

export interface ExtendedAttributes {
  readonly found: readonly ExtendedAttribute[]
  /** Why some or all of them could not be read: the system's code, e.g. EPERM. */
  readonly failure?: string
}

/** What Linux allows for a list of names, and for a value. */
const mostBytes = 65_536
const none: ExtendedAttributes = { found: [] }

/**
 * Reads extended attributes, among them ACLs and capabilities. An entry without any costs one call; a file system that knows none is
 * asked once. Belongs to one thread.
 */
export class AttributeReader {
  readonly #calls: Libc
  readonly #buffer = Buffer.alloc(mostBytes)
  readonly #without = new Set<bigint>()

  constructor(calls: Libc) {
    this.#calls = calls
  }

  /** Undefined where the system has no such calls. */
  static load(): AttributeReader | undefined {
    const calls = libc()
    return calls && new AttributeReader(calls)
  }

  /** Of an open file. @param device the file system that it is on. */
  ofDescriptor(descriptor: number, device: bigint): ExtendedAttributes {
    if (this.#without.has(device)) return none
    const { flistxattr, fgetxattr } = this.#calls
    // Without a buffer the call only counts, at a third of the price.
    if (flistxattr(descriptor, null, 0) === 0) return none
    return this.#read(device, (size) => flistxattr(descriptor, this.#buffer, size), (name, size) => fgetxattr(descriptor, name, this.#buffer, size))
  }

  /** @param follow of what a symlink leads to, e.g. an entry of /proc/self/fd; else of the symlink itself. */
  ofPath(path: ByteString, device: bigint, follow: boolean): ExtendedAttributes {
    if (this.#without.has(device)) return none
    const { listxattr, getxattr, llistxattr, lgetxattr } = this.#calls
    const bytes = Buffer.from(`${path}\0`, 'latin1')
    const [list, get] = follow ? [listxattr, getxattr] : [llistxattr, lgetxattr]
    return this.#read(device, (size) => list(bytes, this.#buffer, size), (name, size) => get(bytes, name, this.#buffer, size))
  }

  #read(device: bigint, list: (size: number) => number, get: (name: Buffer, size: number) => number): ExtendedAttributes {
    const length = list(mostBytes)
    if (length === 0) return none
    if (length < 0) return this.#failed(device)
    const names = this.#buffer.toString('latin1', 0, length).split('\0').filter((name) => name !== '')
    const found: ExtendedAttribute[] = []
    let failure: string | undefined
    for (const name of names) {
      const size = get(Buffer.from(`${name}\0`, 'latin1'), mostBytes)
      if (size >= 0) found.push({ name: Uint8Array.from(Buffer.from(name, 'latin1')), value: Uint8Array.from(this.#buffer.subarray(0, size)) })
      // Taken away meanwhile: the change of it shows in the ctime.
      else if (this.#calls.errno() !== 'ENODATA') failure = this.#calls.errno()
    }
    return failure === undefined ? { found } : { found, failure }
  }

  #failed(device: bigint): ExtendedAttributes {
    const code = this.#calls.errno()
    if (code !== 'EOPNOTSUPP' && code !== 'ENOTSUP' && code !== 'ENOSYS') return { found: [], failure: code }
    this.#without.add(device)
    return none
  }
}
