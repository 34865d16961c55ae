import type { Clock } from '../../base/clock.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import type { Body, ByteRange, ObjectInfo, Pace, PutOptions, StagingFolder, StorageBackend } from '../backend.ts'
import type { StoragePause } from '../flow/storage-pause.ts'
import { BackendWrapper } from './wrapper.ts'

/**
 * Every request waits while the storage wants to be left alone, and tells when it asks for that. Belongs next to the storage, inside of
 * limits and retries, so that no attempt goes by it. Errors: also throttled (it asks for more than the run's patience).
 */
export function withPause(backend: StorageBackend, pause: StoragePause, clock: Clock): StorageBackend {
  return new PausingBackend(backend, pause, clock)
}

class PausingBackend extends BackendWrapper {
  readonly #pause: StoragePause
  readonly #clock: Clock

  constructor(inner: StorageBackend, pause: StoragePause, clock: Clock) {
    super(inner)
    this.#pause = pause
    this.#clock = clock
  }

  override put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    return this.#request(() => super.put(name, body, options, signal), signal)
  }

  override get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    return this.#request(() => super.get(name, range, signal, pace), signal)
  }

  override stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    return this.#request(() => super.stat(name, signal), signal)
  }

  override remove(name: string, signal: AbortSignal): Promise<void> {
    return this.#request(() => super.remove(name, signal), signal)
  }

  override abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    return this.#request(() => super.abortStaleUploads(olderThanMs, signal), signal)
  }

  override openStaging(owner: string, signal: AbortSignal): Promise<StagingFolder | undefined> {
    return this.#request(() => super.openStaging(owner, signal), signal)
  }

  override tryWriting(signal: AbortSignal): Promise<boolean> {
    return this.#request(() => super.tryWriting(signal), signal)
  }

  override space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    return this.#request(() => super.space(signal), signal)
  }

  /** A list is many requests: it waits before each name too, so that no further page is asked for meanwhile. */
  override async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    await this.#pause.pass(signal)
    const startedMs = this.#clock.monotonic()
    try {
      for await (const info of super.list(prefix, signal)) {
        yield info
        if (this.#pause.closedUntilMs > this.#clock.monotonic()) await this.#pause.pass(signal)
      }
      this.#pause.answered(startedMs)
    } catch (error) {
      this.#pause.heed(error)
      throw error
    }
  }

  async #request<T>(operation: () => Promise<T>, signal: AbortSignal): Promise<T> {
    await this.#pause.pass(signal)
    const startedMs = this.#clock.monotonic()
    try {
      const result = await operation()
      this.#pause.answered(startedMs)
      return result
    } catch (error) {
      this.#pause.heed(error)
      throw error
    }
  }
}
