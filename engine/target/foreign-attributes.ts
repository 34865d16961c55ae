import { fromBytes } from '../base/byte-string.ts'
import type { ByteString } from '../base/byte-string.ts'
import { errnoOf } from '../base/errno.ts'
import type { ForeignFunctions } from './foreign-functions.ts'
import type { AttributeCalls, OpenEntry } from './system-calls.ts'

/** What Linux allows for the names of an entry together, and for one value; macOS has larger values, which are told as different. */
const longest = 65_536
const darwin = process.platform === 'darwin'

/** Extended attributes of entries that are held. */
export class ForeignAttributes implements AttributeCalls {
  readonly #functions: ForeignFunctions
  readonly #buffer = Buffer.alloc(longest)

  constructor(functions: ForeignFunctions) {
    this.#functions = functions
  }

  names(entry: OpenEntry): ByteString[] {
    const length = this.#call('listxattr', entry, [this.#buffer, longest], [0])
    return fromBytes(this.#buffer.subarray(0, length)).split('\0').slice(0, -1)
  }

  value(entry: OpenEntry, name: ByteString): Buffer | undefined {
    try {
      const length = this.#call('getxattr', entry, [terminated(name), this.#buffer, longest], [0, 0])
      return Buffer.from(this.#buffer.subarray(0, length))
    } catch (error) {
      if (['ENODATA', 'ENOATTR', 'ENOTSUP', 'EOPNOTSUPP'].includes(errnoOf(error) ?? '')) return undefined
      throw error
    }
  }

  set(entry: OpenEntry, name: ByteString, value: Uint8Array): void {
    this.#call('setxattr', entry, [terminated(name), value, value.length], darwin ? [0, 0] : [0])
  }

  remove(entry: OpenEntry, name: ByteString): void {
    this.#call('removexattr', entry, [terminated(name)], [0])
  }

  /** @param more arguments of macOS; of setxattr also those of Linux. */
  #call(name: 'setxattr' | 'getxattr' | 'listxattr' | 'removexattr', entry: OpenEntry, args: readonly (Uint8Array | number)[], more: readonly number[]): number {
    const rest = darwin || name === 'setxattr' ? [...args, ...more] : args
    const { descriptor, path } = entry
    const byDescriptor = this.#functions[`f${name}`]
    const byPath = this.#functions[name]
    if (path !== undefined && byPath) return byPath(terminated(path.toString('latin1')), ...rest)
    return byDescriptor ? byDescriptor(descriptor, ...rest) : 0
  }
}

function terminated(name: string): Buffer {
  return Buffer.from(`${name}\0`, 'latin1')
}
