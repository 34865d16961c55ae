import { createHash } from 'node:crypto'
import { HoldfastError } from '../../engine/base/errors.ts'
import type { ObjectInfo } from '../../engine/backend/backend.ts'

export interface Stored {
  readonly bytes: Uint8Array
  readonly modifiedMs: number
  /** Says what is in the object, the same for the same content however it was sealed. */
  readonly tag: string
}

/** The one linearizable storage of a world. Every request takes effect at one instant; a clone is cheap. */
export class ModelStore {
  readonly #objects: Map<string, Stored>
  readonly #tagOf: (name: string, bytes: Uint8Array) => string

  constructor(tagOf: (name: string, bytes: Uint8Array) => string, objects = new Map<string, Stored>()) {
    this.#tagOf = tagOf
    this.#objects = objects
  }

  clone(): ModelStore {
    return new ModelStore(this.#tagOf, new Map(this.#objects))
  }

  names(prefix = ''): string[] {
    return [...this.#objects.keys()].filter((name) => name.startsWith(prefix)).sort()
  }

  find(name: string): Stored | undefined {
    return this.#objects.get(name)
  }

  put(name: string, bytes: Uint8Array, ifAbsent: boolean, modifiedMs: number): void {
    if (ifAbsent && this.#objects.has(name)) throw new HoldfastError('exists', `${name} exists`)
    this.#objects.set(name, { bytes, modifiedMs, tag: this.#tagOf(name, bytes) })
  }

  get(name: string): Stored {
    const found = this.#objects.get(name)
    if (!found) throw new HoldfastError('not-found', `${name} is not there`)
    return found
  }

  /** The names after `after`, at most `limit`. */
  list(prefix: string, after = '', limit = Infinity): ObjectInfo[] {
    return this.names(prefix).filter((name) => name > after).slice(0, limit).map((name) => {
      const { bytes, modifiedMs } = this.get(name)
      return { name, size: bytes.length, modifiedMs }
    })
  }

  remove(name: string): void {
    this.#objects.delete(name)
  }

  fingerprint(): string {
    return this.names().map((name) => `${name}=${this.#objects.get(name)?.tag ?? ''}`).join('\n')
  }
}

export function shortHash(text: string | Uint8Array): string {
  return createHash('sha1').update(text).digest('base64').slice(0, 14)
}
