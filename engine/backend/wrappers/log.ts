import { asHoldfastError } from '../../base/errors.ts'
import type { Log } from '../../base/log.ts'
import type { Body, ByteRange, ObjectInfo, Pace, PutOptions, StorageBackend } from '../backend.ts'
import { BackendWrapper } from './wrapper.ts'

/** One line per operation with its time and outcome, at level `debug`. */
export function withLog(backend: StorageBackend, log: Log): StorageBackend {
  return new LoggingBackend(backend, log)
}

class LoggingBackend extends BackendWrapper {
  readonly #log: Log

  constructor(inner: StorageBackend, log: Log) {
    super(inner)
    this.#log = log
  }

  override put(name: string, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
    const bytes = body.type === 'bytes' ? body.bytes.length : body.size
    return this.#logged('put', name, super.put(name, body, options, signal), () => `, ${bytes} bytes`)
  }

  override get(name: string, range: ByteRange | 'all', signal: AbortSignal, pace?: Pace): Promise<Uint8Array> {
    return this.#logged('get', name, super.get(name, range, signal, pace), (bytes) => `, ${bytes.length} bytes`)
  }

  override stat(name: string, signal: AbortSignal): Promise<ObjectInfo> {
    return this.#logged('stat', name, super.stat(name, signal), () => '')
  }

  override remove(name: string, signal: AbortSignal): Promise<void> {
    return this.#logged('remove', name, super.remove(name, signal), () => '')
  }

  override async *list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectInfo> {
    let count = 0
    let failure: unknown
    const startedMs = performance.now()
    try {
      for await (const info of this.inner.list(prefix, signal)) {
        count++
        yield info
      }
    } catch (error) {
      failure = error
      throw error
    } finally {
      this.#write('list', prefix, startedMs, failure, `, ${count} objects`)
    }
  }

  async #logged<T>(operation: string, name: string, result: Promise<T>, facts: (value: T) => string): Promise<T> {
    const startedMs = performance.now()
    try {
      const value = await result
      this.#write(operation, name, startedMs, undefined, facts(value))
      return value
    } catch (error) {
      this.#write(operation, name, startedMs, error, '')
      throw error
    }
  }

  #write(operation: string, name: string, startedMs: number, error: unknown, facts: string): void {
    const outcome = error === undefined ? 'done' : describe(error)
    this.#log.with({ object: name }).write('debug', `${operation} ${outcome} in ${Math.round(performance.now() - startedMs)} ms${facts}`)
  }
}

function describe(error: unknown): string {
  const { code, message } = asHoldfastError(error)
  return `failed with ${code} (${message})`
}
