import { literal, maxLength, minValue, number, object, pipe, safeInteger, safeParse, string } from 'valibot'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { parsedJson } from '../http/bearer.ts'
import { sizeOf, wholeOf } from '../http/parts.ts'
import type { Commit, DropboxApi, FileMetadata, Sending } from './api.ts'
import { blocksOf, contentHash, partHash } from './content-hash.ts'

/** A multiple of 4 MiB, as Dropbox advises; what is on its way when an upload breaks off may be sent again. */
const partBytes = 8 * 1024 * 1024
const mostMisses = 5

const journalEntry = object({
  version: literal(1), sessionId: pipe(string(), maxLength(4096)), offset: pipe(number(), safeInteger(), minValue(0)), size: number(), crc32: number(),
})

export interface SessionTarget {
  readonly api: DropboxApi
  /** The object's name, under which the journal keeps the upload. */
  readonly name: string
  readonly path: string
  readonly journal: UploadJournal | undefined
  commit(commit: Commit, signal: AbortSignal): Promise<FileMetadata>
}

interface Session {
  readonly sessionId: string
  /** So many bytes have arrived. */
  readonly offset: number
}

/**
 * Sends a body by an upload session: nothing is visible before its commit. With a journal, that of a file goes on where it stopped, in
 * another process too, at the byte that Dropbox names. That is one attempt in the sense of rule R5: a session is committed at most once,
 * and when it is gone the name is given up (`unavailable`, no journal entry), unless its object is there. Dropbox forgets a
 * session after seven days by itself, and knows no way to end one.
 */
export async function putInSession(target: SessionTarget, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
  const sending = new SessionSending(target, body, options, await blocksOf(wholeOf(body), signal), signal)
  await sending.run()
}

class SessionSending {
  readonly #target: SessionTarget
  readonly #body: Body
  readonly #size: number
  readonly #options: PutOptions
  readonly #blocks: Buffer
  readonly #signal: AbortSignal

  constructor(target: SessionTarget, body: Body, options: PutOptions, blocks: Buffer, signal: AbortSignal) {
    this.#target = target
    this.#body = body
    this.#size = sizeOf(body)
    this.#options = options
    this.#blocks = blocks
    this.#signal = signal
  }

  async run(): Promise<void> {
    try {
      const kept = this.#kept()
      const session = kept ? await this.#whereItStopped(kept) : await this.#begin()
      await this.#finish(await this.#sendRest(session))
    } catch (error) {
      if (!isGone(error)) throw error
      // Committed earlier, and the reply lost; or dropped.
      if (!(await this.#isThere())) {
        this.#target.journal?.delete(this.#target.name)
        throw new HoldfastError('unavailable', `Dropbox dropped the unfinished upload of ${this.#target.name}.`, { cause: error })
      }
    }
    this.#target.journal?.delete(this.#target.name)
  }

  /** What the journal remembers for this very file. */
  #kept(): Session | undefined {
    const { journal, name } = this.#target
    const text = this.#body.type === 'file' ? journal?.get(name) : undefined
    if (text === undefined) return undefined
    const entry = safeParse(journalEntry, parsedJson(text))
    if (entry.success && this.#body.type === 'file' && entry.output.size === this.#size && entry.output.crc32 === this.#body.crc32 && entry.output.offset <= this.#size) return entry.output
    journal?.delete(name)
    return undefined
  }

  #keep(session: Session): Session {
    const { journal, name } = this.#target
    if (this.#body.type === 'file') journal?.set(name, JSON.stringify({ version: 1, ...session, size: this.#size, crc32: this.#body.crc32 }))
    return session
  }

  async #begin(): Promise<Session> {
    const first = await this.#part(0)
    const sessionId = await this.#target.api.start(this.#target.name, first, first.length === this.#size, this.#signal)
    return this.#keep({ sessionId, offset: first.length })
  }

  /** There is no question for it: an append of nothing is told where the session stands. */
  async #whereItStopped({ sessionId, offset }: Session): Promise<Session> {
    if (offset === this.#size) return { sessionId, offset }
    const nothing = { ...(await this.#part(offset, 0)), length: 0 }
    const now = await this.#appended(sessionId, nothing, false)
    // All has arrived, and the session was not closed: that it is, too, when this comes twice.
    if (now === this.#size) await this.#appended(sessionId, await this.#part(now, 0), true)
    return this.#keep({ sessionId, offset: now })
  }

  async #sendRest(session: Session): Promise<Session> {
    let { offset } = session
    for (let misses = 0; offset < this.#size; ) {
      const part = await this.#part(offset)
      const end = offset + part.length
      offset = await this.#appended(session.sessionId, part, end === this.#size)
      if (offset !== end && ++misses === mostMisses) throw new HoldfastError('unavailable', `Dropbox keeps other bytes of ${this.#target.name} than are sent.`)
      this.#keep({ ...session, offset })
      this.#options.onProgress?.(offset)
    }
    return { ...session, offset }
  }

  /** Resolves to how many bytes the session then has. */
  async #appended(sessionId: string, part: Sending, close: boolean): Promise<number> {
    try {
      await this.#target.api.append(this.#target.name, sessionId, part, close, this.#signal)
      return part.offset + part.length
    } catch (error) {
      const reason = error instanceof HoldfastError ? error.data['reason'] : undefined
      if (reason === 'closed') return this.#size
      const correct = reason === 'incorrect_offset' && error instanceof HoldfastError ? error.data['correctOffset'] : undefined
      if (typeof correct !== 'number') throw error
      if (correct > this.#size) throw new HoldfastError('unavailable', `Dropbox has more of ${this.#target.name} than there is.`, { cause: error, data: { reason: 'not_found' } })
      return correct
    }
  }

  async #part(offset: number, most = partBytes): Promise<Sending> {
    const part = { body: this.#body, offset, length: Math.min(most, partBytes - (offset % partBytes), this.#size - offset) }
    return {
      ...part, hash: await partHash(part, this.#blocks, this.#signal), pace: this.#options.pace,
      onSent: (bytes) => { this.#options.onProgress?.(offset + bytes) },
    }
  }

  async #finish({ sessionId }: Session): Promise<void> {
    const { path } = this.#target
    const file = await this.#target.commit({ sessionId, size: this.#size, path, ifAbsent: this.#options.ifAbsent === true }, this.#signal)
    await verifyStored(this.#target.api, this.#target.name, path, file, this.#size, contentHash(this.#blocks), this.#signal).catch((error: unknown) => {
      this.#target.journal?.delete(this.#target.name)
      throw error
    })
  }

  async #isThere(): Promise<boolean> {
    if (this.#options.ifAbsent) return false
    try {
      const file = await this.#target.api.metadata(this.#target.name, this.#target.path, this.#signal)
      return file?.size === this.#size && file.content_hash === contentHash(this.#blocks)
    } catch (error) {
      if (hasCode(error, 'not-found')) return false
      throw error
    }
  }
}

/** Where Dropbox stored other bytes than were sent, they go again. Errors: damaged. */
export async function verifyStored(api: DropboxApi, name: string, path: string, file: FileMetadata, size: number, hash: string, signal: AbortSignal): Promise<void> {
  if (file.size === size && file.content_hash === hash) return
  await api.remove(name, path, file.rev, signal)
  throw new HoldfastError('damaged', `Dropbox stored other bytes of ${name} than were sent.`, { data: { advice: 'Run the command again; what was stored wrongly has been removed.' } })
}

/** The session is not known any more. */
function isGone(error: unknown): boolean {
  return error instanceof HoldfastError && typeof error.data['reason'] === 'string' && /^(lookup_failed\/)?(not_found|closed|not_closed)$/.test(error.data['reason'])
}
