import { existsSync, rmSync } from 'node:fs'
import type { StorageBackend } from '../backend/backend.ts'
import type { RetryPolicy } from '../backend/wrappers/retry.ts'
import { hasCode, isRetryable } from '../base/errors.ts'
import type { Catalog } from '../catalog/catalog.ts'
import type { SpoolEntry } from '../catalog/spool.ts'
import type { Random } from '../repository/crypto.ts'
import { packObject, randomName } from '../repository/names.ts'
import type { SealedPack } from '../repository/pack-info.ts'

export interface UploaderOptions {
  readonly backend: StorageBackend
  readonly catalog: Catalog
  readonly retry: RetryPolicy
  readonly random: Random
  readonly onUploaded: (pack: SealedPack) => void
}

/**
 * Brings sealed packs to the storage. Each is in the catalog, with the name of its attempt, before its first byte is sent (C3), and
 * every attempt has a name of its own (R5): a late request of an earlier attempt can then only make a second copy, never touch a
 * name that a prune has decided about.
 */
export class Uploader {
  readonly #options: UploaderOptions

  constructor(options: UploaderOptions) {
    this.#options = options
  }

  /** Records a pack that a worker has just finished. */
  record(pack: SealedPack): SpoolEntry {
    return this.#options.catalog.spool.add(pack, randomName(this.#options.random))
  }

  /** Sends the pack, first under the name it has. Errors: those of the storage, once patience is at its end. */
  async upload(entry: SpoolEntry, signal: AbortSignal): Promise<void> {
    const { backend, catalog, random, retry } = this.#options
    let { name } = entry
    await retry.run(packObject(name), async (attempt) => {
      // A broken-off upload that the storage continues is still the same attempt: it can complete only once.
      if (attempt > 1 && backend.continues?.(packObject(name)) !== true) {
        name = randomName(random)
        catalog.spool.rename(entry.number, name)
      }
      await this.#attempt(entry, name, attempt, signal)
    }, signal)
    this.#settle(entry, name)
  }

  /** The pack is whole in its place under this name: it need not be sent. */
  settle(entry: SpoolEntry): void {
    this.#settle(entry, entry.name)
  }

  async #attempt(entry: SpoolEntry, name: string, attempt: number, signal: AbortSignal): Promise<void> {
    const body = { type: 'file', path: entry.path, size: entry.size, crc32: entry.crc32 } as const
    try {
      await this.#options.backend.put(packObject(name), body, { once: true, attempt }, signal)
    } catch (error) {
      // A reply can get lost after the pack is whole in its place.
      if (!signal.aborted && await this.#hasArrived(name, entry, error, signal)) return
      throw error
    }
  }

  async #hasArrived(name: string, entry: SpoolEntry, error: unknown, signal: AbortSignal): Promise<boolean> {
    // A staged file is moved, not copied: when it is gone, it is there.
    if (!hasCode(error, 'unavailable') && existsSync(entry.path)) return false
    try {
      return (await this.#options.backend.stat(packObject(name), signal)).size === entry.size
    } catch (failure) {
      if (hasCode(failure, 'not-found') || isRetryable(failure)) return false
      throw failure
    }
  }

  #settle(entry: SpoolEntry, name: string): void {
    this.#options.catalog.spool.uploaded(entry.number, { name, size: entry.size, contents: entry.contents })
    rmSync(entry.path, { force: true })
    this.#options.onUploaded(entry)
  }
}
