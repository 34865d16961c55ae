import type { SpaceLeft } from '../../protocol/space.ts'
import type { BackendTraits, Body, ByteRange, ObjectInfo, Pace, PutOptions, StagingFolder, StorageBackend } from '../backend.ts'

/** Passes everything on to `inner`; wrappers override what they are about. Disposing a wrapper disposes what it wraps. */
export class BackendWrapper implements StorageBackend {
  readonly label: string
  readonly traits: BackendTraits
  protected readonly inner: StorageBackend

  constructor(inner: StorageBackend, traits: BackendTraits = inner.traits) {
    this.label = inner.label
    this.traits = traits
    this.inner = inner
  }

  put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    return this.inner.put(name, body, options, signal)
  }

  get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    return this.inner.get(name, range, signal, pace)
  }

  stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    return this.inner.stat(name, signal)
  }

  list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    return this.inner.list(prefix, signal)
  }

  remove(name: string, signal: AbortSignal): Promise<void> {
    return this.inner.remove(name, signal)
  }

  continues(name: string): boolean {
    return this.inner.continues?.(name) ?? false
  }

  async abortStaleUploads(olderThanMs: number, signal: AbortSignal): Promise<number> {
    return (await this.inner.abortStaleUploads?.(olderThanMs, signal)) ?? 0
  }

  async openStaging(owner: string, signal: AbortSignal): Promise<StagingFolder | undefined> {
    return this.inner.openStaging?.(owner, signal)
  }

  async tryWriting(signal: AbortSignal): Promise<boolean> {
    return (await this.inner.tryWriting?.(signal)) ?? false
  }

  serverKey(): string | undefined {
    return this.inner.serverKey?.()
  }

  async space(signal: AbortSignal): Promise<SpaceLeft | undefined> {
    return this.inner.space?.(signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.inner[Symbol.asyncDispose]()
  }
}
