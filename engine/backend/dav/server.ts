import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { SpaceLeft } from '../../protocol/space.ts'
import { maximumWholeBytes, type ByteRange, type Pace } from '../backend.ts'
import { causeError, endless, networkError } from '../http/failure.ts'
import { partBody, type Part } from '../http/parts.ts'
import { readObject } from '../http/reply.ts'
import type { DavClient } from './client.ts'
import { entriesOf, type DavEntry } from './multistatus.ts'

/** 200,000 names of a folder, with what servers say of each. */
const mostListBytes = 512 * 1024 * 1024
const properties = Buffer.from('<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><resourcetype/><getcontentlength/><getlastmodified/></prop></propfind>')

const quota = Buffer.from('<?xml version="1.0" encoding="utf-8"?><propfind xmlns="DAV:"><prop><quota-available-bytes/><quota-used-bytes/></prop></propfind>')

export interface DavFile {
  readonly size: number
  readonly modifiedMs: number
}

export interface Sending extends Part {
  readonly pace: Pace | undefined
  readonly onSent: (bytes: number) => void
}

/** What Holdfast asks of a WebDAV server, one method each. Paths are percent-encoded, from the root of the server; `what` names the object in errors. */
export class DavServer {
  readonly #client: DavClient

  constructor(client: DavClient) {
    this.#client = client
  }

  /** Stores a part of a body as a file, in place of what is there. Errors: not-found (the folder is missing), … */
  async put(what: string, path: string, { pace, onSent, ...part }: Sending, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    await this.#client.perform(what, {
      method: 'PUT', path, headers: { 'content-type': 'application/octet-stream', 'content-length': String(part.length), ...headers }, body: (watch) => partBody(part, watch, pace, onSent),
    }, signal, part.length)
  }

  /** Takes the place of what is there. Errors: not-found (the file, or the folder that it goes to). */
  async move(what: string, from: string, to: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    await this.#client.perform(what, { method: 'MOVE', path: from, destination: to, headers: { overwrite: 'T', ...headers } }, signal, 'slow')
  }

  /** Does nothing where there is one. Errors: not-found (the folder above is missing). */
  async makeFolder(what: string, path: string, signal: AbortSignal): Promise<void> {
    await this.#client.perform(what, { method: 'MKCOL', path: `${path}/`, also: [405] }, signal)
  }

  /** The same for one that nobody else can have made. Errors: also unsupported. */
  async makeOwnFolder(what: string, path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<void> {
    await this.#client.perform(what, { method: 'MKCOL', path: `${path}/`, headers }, signal)
  }

  async get(what: string, path: string, range: ByteRange | 'all', pace: Pace | undefined, signal: AbortSignal): Promise<Uint8Array> {
    const headers: Record<string, string> = range === 'all' ? {} : { range: `bytes=${range.offset}-${range.offset + range.length - 1}` }
    return this.#client.exchange(what, range === 'all' ? maximumWholeBytes : range.length, { method: 'GET', path, headers: { ...headers, 'accept-encoding': 'identity' } }, (reply, watch) => {
      const length = /^\d{1,15}$/.test(reply.headers['content-length'] ?? '') ? Number(reply.headers['content-length']) : undefined
      return readObject(what, range, { length, range: reply.headers['content-range'] }, reply.body, watch, pace)
    }, signal).catch(async (error: unknown) => {
      // Servers made with Go's library say 404 whatever kept them from opening a file. Whether it is there, they tell otherwise.
      if (hasCode(error, 'not-found') && await this.file(what, path, signal)) throw new HoldfastError('unavailable', `The server has ${what} and does not give it.`, { cause: error })
      throw error
    })
  }

  /** undefined for a folder. Errors: not-found, unavailable (the server does not say how long it is). */
  async file(what: string, path: string, signal: AbortSignal): Promise<DavFile | undefined> {
    for await (const { isFolder, size, modifiedMs } of this.list(what, path, 0, signal)) {
      if (isFolder) return undefined
      if (size === undefined) throw new HoldfastError('unavailable', `The server does not say how long ${what} is.`)
      return { size, modifiedMs }
    }
    throw new HoldfastError('not-found', `The object does not exist. (${what})`)
  }

  /** Removes a file. A folder is told from it first: a server removes one with all that is in it. Errors: damaged (a folder is in its place). */
  async remove(what: string, path: string, signal: AbortSignal): Promise<void> {
    try {
      if (!(await this.file(what, path, signal))) throw new HoldfastError('damaged', `A folder is in the place of ${what}.`)
      await this.removeOwn(what, path, signal)
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
    }
  }

  /** Removes what this program made under a name of its own, file or folder, without a look at it. Missing is fine. */
  async removeOwn(what: string, path: string, signal: AbortSignal): Promise<void> {
    await this.#client.perform(what, { method: 'DELETE', path, also: [404, 410] }, signal, 'slow')
  }

  /** What is left where a folder is; undefined where the server does not say, or says what no disk has. Errors: not-found, … */
  async space(what: string, path: string, signal: AbortSignal): Promise<SpaceLeft | undefined> {
    for await (const { free, used } of this.list(what, path, 0, signal, quota)) return free === undefined ? undefined : { freeBytes: free, ...(used === undefined ? {} : { totalBytes: free + used }) }
    return undefined
  }

  /** A resource (depth 0), or a folder and what is in it (depth 1), as the answer comes. */
  async *list(what: string, path: string, depth: 0 | 1, signal: AbortSignal, asked = properties): AsyncGenerator<DavEntry> {
    // The exchange ends when its reply is read, which is when the caller has had all of it.
    const ready = Promise.withResolvers<AsyncGenerator<DavEntry>>()
    const over = Promise.withResolvers<void>()
    const exchange = this.#client.exchange(what, depth === 0 ? 'small' : 'object', {
      method: 'PROPFIND', path, headers: { depth: String(depth), 'content-type': 'application/xml; charset=utf-8', 'accept-encoding': 'identity' }, body: () => asked,
    }, async (reply, watch) => {
      const stop = (): void => { reply.body.destroy(watch.signal.reason as Error) }
      watch.signal.addEventListener('abort', stop, { once: true })
      ready.resolve(entriesOf(counted(reply.body as AsyncIterable<Buffer>, (bytes) => { watch.moved(bytes) })))
      await over.promise
      reply.body.destroy()
    }, signal)
    exchange.catch((error: unknown) => { ready.reject(error) })
    const entries = await ready.promise
    try {
      yield* entries
      over.resolve()
      await exchange
    } catch (error) {
      over.resolve()
      // What ended the exchange is the reason why its reply broke off.
      await exchange
      throw error instanceof HoldfastError ? error : (networkError(error, what) ?? error)
    } finally {
      over.resolve()
    }
  }
}

async function* counted(body: AsyncIterable<Buffer>, onBytes: (bytes: number) => void): AsyncGenerator<Buffer> {
  let got = 0
  for await (const chunk of body) {
    onBytes(chunk.length)
    if ((got += chunk.length) > mostListBytes) throw causeError(endless, [], { reason: 'EndlessReply' })
    yield chunk
  }
}
