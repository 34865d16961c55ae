import { readFileSync, renameSync } from 'node:fs'
import { dirname } from 'node:path'
import * as v from 'valibot'
import writeFileAtomic from 'write-file-atomic'
import { closeFile, ensurePrivate, ownFile } from '../system/private-folder.ts'

/** A file that a later version of Holdfast has written, in words fit to be shown. It stays where it is, so that the later version goes on with it. */
export class LaterVersionError extends Error {
  override readonly name = 'LaterVersionError'

  constructor(path: string) {
    super(`${path} was written by a later version of Holdfast. Install that version again, or a newer one. Nothing was changed: your jobs and passwords are kept.`)
  }
}

export interface VersionedFileOptions<T> {
  readonly path: string
  readonly schema: v.GenericSchema<unknown, T>
  /** Version `n + 1` of the data from version `n`, at index `n - 1`; the newest version is one more than the list is long. */
  readonly migrations: readonly ((old: unknown) => unknown)[]
  readonly initial: T
  readonly now: () => number
}

const envelope = v.object({ version: v.pipe(v.number(), v.integer(), v.minValue(1)), data: v.unknown() })

/**
 * A small JSON file that main owns: read once at start, replaced whole and atomically at each change. A damaged file is moved aside, never
 * overwritten; `movedTo` says where it went.
 */
export class VersionedFile<T> {
  readonly movedTo: string | undefined
  readonly #options: VersionedFileOptions<T>
  #value: T
  #writing: Promise<void> = Promise.resolve()
  #dirty = false

  /**
   * @throws LaterVersionError for a file of a later version. Also where the file exists and cannot be read or moved, or somebody else could have written
   * it: nothing is safe to do then.
   */
  constructor(options: VersionedFileOptions<T>) {
    this.#options = options
    ensurePrivate(dirname(options.path))
    closeFile(options.path)
    const text = readIfThere(options.path)
    const parsed = text === undefined ? { ok: true as const, value: options.initial } : this.#parse(text)
    if (!parsed.ok) {
      this.movedTo = `${options.path}.damaged-${new Date(options.now()).toISOString().replaceAll(':', '-')}`
      renameSync(options.path, this.movedTo)
    }
    this.#value = parsed.ok ? parsed.value : options.initial
  }

  get value(): T {
    return this.#value
  }

  /** The new value counts at once; resolves when it is on disk. Changes in quick succession are written as one. */
  set(value: T): Promise<void> {
    this.#value = value
    this.#dirty = true
    const written = this.#writing.catch(() => undefined).then(() => this.#write())
    this.#writing = written
    return written
  }

  async #write(): Promise<void> {
    if (!this.#dirty) return
    this.#dirty = false
    const text = JSON.stringify({ version: this.#version, data: this.#value }, undefined, 2)
    await writeFileAtomic(this.#options.path, `${text}\n`, ownFile())
  }

  get #version(): number {
    return this.#options.migrations.length + 1
  }

  #parse(text: string): { readonly ok: true; readonly value: T } | { readonly ok: false } {
    const outer = v.safeParse(envelope, parseJson(text))
    if (!outer.success) return { ok: false }
    if (outer.output.version > this.#version) throw new LaterVersionError(this.#options.path)
    const steps = this.#options.migrations.slice(outer.output.version - 1)
    const data = steps.reduce((old, step) => step(old), outer.output.data)
    const inner = v.safeParse(this.#options.schema, data)
    return inner.success ? { ok: true, value: inner.output } : { ok: false }
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

/** Undefined for what is not JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
