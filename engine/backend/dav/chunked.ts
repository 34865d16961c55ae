import { randomBytes } from 'node:crypto'
import { literal, number, object, pipe, regex, safeParse, string } from 'valibot'
import { throwIfAborted } from '../../base/abort.ts'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { parsedJson } from '../http/bearer.ts'
import { pathOf } from './listing.ts'
import type { DavServer } from './server.ts'

/**
 * Nextcloud's upload in chunks, version 2: a folder for the upload, numbered chunks in it, and a move that puts them together.
 * https://docs.nextcloud.com/server/latest/developer_manual/client_apis/WebDAV/chunking.html (chunks of 5 MB to 5 GB, the last may be smaller,
 * 1 to 10000; an upload that rests for 24 hours is removed).
 */

/** Several of a pack: what is sent again after an interruption is at most one. */
const chunkBytes = 8 * 1024 * 1024
const folderName = /^holdfast-[0-9a-f]{32}$/
const cleanUpMs = 900

type FileBody = Extract<Body, { readonly type: 'file' }>

/** What the journal keeps of an upload that was begun. */
const begun = object({ version: literal(1), upload: pipe(string(), regex(folderName)), size: number(), crc32: number(), chunkBytes: literal(chunkBytes) })

export interface ChunkedOptions {
  readonly server: DavServer
  /** Where uploads of this user go: percent-encoded, without a slash behind. */
  readonly folder: string
  /** Of the whole address of a path on the server. */
  readonly addressOf: (path: string) => string
  readonly journal: UploadJournal | undefined
}

export class ChunkedUploads {
  readonly #options: ChunkedOptions
  /** The server turned out not to know it. */
  #unknown = false

  constructor(options: ChunkedOptions) {
    this.#options = options
  }

  get resumable(): boolean {
    return this.#options.journal !== undefined
  }

  /** Whether a file goes in chunks: a large one, or one that has been begun so. */
  takes(name: string, { size }: FileBody): boolean {
    return !this.#unknown && (size > chunkBytes || this.#options.journal?.get(name) !== undefined)
  }

  /** Resolves to false where the server takes no chunks: then nothing has been begun. @param path where the file goes. Errors: not-found (its folder is missing), … */
  async put(name: string, path: string, body: FileBody, options: PutOptions, signal: AbortSignal): Promise<boolean> {
    const { journal, server, folder } = this.#options
    const kept = this.#begun(name, body)
    const upload = kept ?? `holdfast-${randomBytes(16).toString('hex')}`
    const at = `${folder}/${upload}`
    const headers = { destination: this.#options.addressOf(path), 'oc-total-length': String(body.size) }
    try {
      if (!kept && !(await this.#begin(name, at, upload, body, headers, signal))) return false
      const there = kept ? await this.#chunksOf(name, at, body.size, signal) : new Set<number>()
      if (!there) {
        await this.#expectMoved(name, path, body.size, signal)
        return true
      }
      await this.#send(name, at, body, there, headers, options, signal)
      await server.move(name, `${at}/.file`, path, headers, signal)
      await this.#expectSize(name, path, body.size, signal)
    } catch (error) {
      if (!journal) await server.removeOwn(name, at, AbortSignal.timeout(cleanUpMs)).catch(() => undefined)
      throw error
    }
    journal?.delete(name)
    return true
  }

  async #begin(name: string, at: string, upload: string, { size, crc32 }: FileBody, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<boolean> {
    const { journal, server } = this.#options
    journal?.set(name, JSON.stringify({ version: 1, upload, size, crc32, chunkBytes }))
    try {
      await server.makeOwnFolder(name, at, headers, signal)
    } catch (error) {
      const { status } = error instanceof HoldfastError ? error.data : {}
      if (typeof status !== 'number' || ![403, 404, 405, 409, 501].includes(status)) throw error
      this.#unknown = true
      journal?.delete(name)
      return false
    }
    return true
  }

  /**
   * The upload is gone: put together, and its reply was lost, or forgotten by the server. Then the name is given up, since another beginning
   * would be another attempt under it (rule R5). Errors: unavailable.
   */
  async #expectMoved(name: string, path: string, size: number, signal: AbortSignal): Promise<void> {
    this.#options.journal?.delete(name)
    const stored = await this.#options.server.file(name, path, signal).catch((error: unknown) => {
      if (hasCode(error, 'not-found')) return undefined
      throw error
    })
    if (stored?.size !== size) throw new HoldfastError('unavailable', `The server has forgotten the unfinished upload of ${name}.`)
  }

  /** Removes what nobody continued. */
  async abortBefore(beforeMs: number, signal: AbortSignal): Promise<number> {
    const { server, folder } = this.#options
    let removed = 0
    try {
      for await (const { href, isFolder, modifiedMs } of server.list('unfinished uploads', `${folder}/`, 1, signal)) {
        const name = pathOf(href)?.replace(/\/$/, '').split('/').at(-1) ?? ''
        if (!isFolder || !folderName.test(name) || modifiedMs === 0 || modifiedMs > beforeMs) continue
        await server.removeOwn('an unfinished upload', `${folder}/${name}`, signal)
        removed++
      }
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
    }
    return removed
  }

  /** The upload that was begun for this very file. */
  #begun(name: string, { size, crc32 }: FileBody): string | undefined {
    const state = this.#options.journal?.get(name)
    if (state === undefined) return undefined
    const parsed = safeParse(begun, parsedJson(state))
    if (parsed.success && parsed.output.size === size && parsed.output.crc32 === crc32) return parsed.output.upload
    this.#options.journal?.delete(name)
    return undefined
  }

  /** Numbers of the chunks that have arrived whole; undefined where the upload is gone. */
  async #chunksOf(name: string, at: string, size: number, signal: AbortSignal): Promise<ReadonlySet<number> | undefined> {
    const chunks = new Set<number>()
    try {
      for await (const { href, isFolder, size: stored } of this.#options.server.list(name, `${at}/`, 1, signal)) {
        const number = Number(/\/(\d{5})$/.exec(pathOf(href) ?? '')?.[1] ?? NaN)
        if (!isFolder && stored === chunkLength(number, size)) chunks.add(number)
      }
      return chunks
    } catch (error) {
      if (hasCode(error, 'not-found')) return undefined
      throw error
    }
  }

  async #send(name: string, at: string, body: FileBody, there: ReadonlySet<number>, headers: Readonly<Record<string, string>>, { pace, onProgress }: PutOptions, signal: AbortSignal): Promise<void> {
    let arrived = 0
    for (let number = 1; arrived < body.size; number++) {
      throwIfAborted(signal)
      const length = chunkLength(number, body.size)
      if (!there.has(number)) {
        const before = arrived
        const sending = { body, offset: (number - 1) * chunkBytes, length, pace, onSent: (bytes: number) => { if (bytes < length) onProgress?.(before + bytes) } }
        await this.#options.server.put(name, `${at}/${String(number).padStart(5, '0')}`, sending, headers, signal)
      }
      arrived += length
      onProgress?.(arrived)
    }
  }

  async #expectSize(name: string, path: string, size: number, signal: AbortSignal): Promise<void> {
    const stored = await this.#options.server.file(name, path, signal)
    if (stored?.size === size) return
    await this.#options.server.removeOwn(name, path, signal)
    throw new HoldfastError('unavailable', `The server put ${stored?.size ?? 0} of the ${size} bytes of ${name} together.`)
  }
}

function chunkLength(number: number, size: number): number {
  return Math.max(0, Math.min(chunkBytes, size - (number - 1) * chunkBytes))
}
