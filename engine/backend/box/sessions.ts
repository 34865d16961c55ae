import { createHash } from 'node:crypto'
import { literal, minValue, number, object, pipe, regex, safeInteger, safeParse, string } from 'valibot'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { parsedJson } from '../http/bearer.ts'
import { readPart, sizeOf, type Part } from '../http/parts.ts'
import type { BoxApi, BoxFile, Place, UploadedPart, UploadSession } from './api.ts'

/** Box has no sessions for less than 20 MB, whichever megabytes those are, and takes up to 50 MB in one request. */
export const sessionBytes = 20 * 1024 * 1024
/** Box says 8 MiB for files like ours; much smaller parts would be a request for every few bytes. */
const leastPartBytes = 1024 * 1024
const mostPartBytes = 1024 * 1024 * 1024
const mostCommits = 30
const mismatchMs = 2000
const cleanUpMs = 900

const journalEntry = object({
  version: literal(1), id: pipe(string(), regex(/^[0-9A-Za-z_-]{1,200}$/)), partBytes: pipe(number(), safeInteger(), minValue(1)), size: number(), crc32: number(),
})

export interface SessionTarget {
  readonly api: BoxApi
  /** The object's name, under which the journal keeps the upload. */
  readonly name: string
  readonly journal: UploadJournal | undefined
  /** SHA-1 of the whole body. */
  readonly digest: Buffer
  /** What is stored under the name now, where it is that. */
  stored(): Promise<BoxFile | undefined>
}

/**
 * Sends a body in the parts of an upload session: nothing is visible before its commit. With a journal, that of a file goes on where it
 * stopped, in another process too: parts that arrived (by offset, length and SHA-1) are not sent again. That is one attempt in the sense
 * of rule R5: a session is committed at most once, and when it is gone the name is given up (`unavailable`, no journal entry), unless
 * its object is there. Box ends a session by itself after some days, and tells nobody which there are.
 */
export async function putInSession(target: SessionTarget, place: Place, body: Body, options: PutOptions, signal: AbortSignal): Promise<BoxFile> {
  const { journal, name } = target
  const kept = await keptOf(target, body)
  const session = kept ?? await begun(target, place, body, signal)
  try {
    const file = await new SessionSending(target, session, body, options, signal).run(kept !== undefined)
    journal?.delete(name)
    return file
  } catch (error) {
    if (hasCode(error, 'exists')) journal?.delete(name)
    if (!journal || body.type === 'bytes' || hasCode(error, 'exists')) await discard(target, session.id)
    throw error
  }
}

async function begun(target: SessionTarget, place: Place, body: Body, signal: AbortSignal): Promise<UploadSession> {
  const session = await target.api.beginSession(target.name, place, sizeOf(body), signal)
  const { id, partBytes } = session
  if (partBytes > mostPartBytes || partBytes < Math.min(leastPartBytes, sizeOf(body))) throw new HoldfastError('unavailable', `Box wants ${target.name} in parts of an odd size.`, { data: { partBytes } })
  if (body.type === 'file') target.journal?.set(target.name, JSON.stringify({ version: 1, id, partBytes, size: body.size, crc32: body.crc32 }))
  return session
}

/** The session that the journal remembers for this very file. */
async function keptOf(target: SessionTarget, body: Body): Promise<UploadSession | undefined> {
  const { journal, name } = target
  const text = body.type === 'file' ? journal?.get(name) : undefined
  if (text === undefined) return undefined
  const entry = safeParse(journalEntry, parsedJson(text))
  if (entry.success && body.type === 'file' && entry.output.size === body.size && entry.output.crc32 === body.crc32) return entry.output
  if (entry.success) await discard(target, entry.output.id)
  journal?.delete(name)
  return undefined
}

/** Best effort within the second that a cancel may take: what remains ends by itself. */
async function discard({ api, name }: SessionTarget, id: string): Promise<void> {
  await api.abortSession(name, id, AbortSignal.timeout(cleanUpMs)).catch(() => undefined)
}

class SessionSending {
  readonly #target: SessionTarget
  readonly #session: UploadSession
  readonly #body: Body
  readonly #size: number
  readonly #options: PutOptions
  readonly #signal: AbortSignal

  constructor(target: SessionTarget, session: UploadSession, body: Body, options: PutOptions, signal: AbortSignal) {
    this.#target = target
    this.#session = session
    this.#body = body
    this.#size = sizeOf(body)
    this.#options = options
    this.#signal = signal
  }

  async run(resumes: boolean): Promise<BoxFile> {
    try {
      return await this.#send(resumes ? await this.#arrived() : new Map())
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
      return await this.#requireThere(error)
    }
  }

  /** One part after the other: a transfer is one connection, so that an account's cap on transfers is one on connections too (A3). */
  async #send(arrived: ReadonlyMap<number, UploadedPart>): Promise<BoxFile> {
    const parts: UploadedPart[] = []
    for (let offset = 0; offset < this.#size; offset += this.#session.partBytes) {
      const part = { body: this.#body, offset, length: Math.min(this.#session.partBytes, this.#size - offset) }
      const digest = await sha1Of(part, this.#signal)
      const there = arrived.get(offset)
      if (there && !isThat(there, part, digest)) await this.#giveUp('Box holds other bytes of a part than were sent.')
      parts.push(there ?? await this.#part(part, digest))
      this.#options.onProgress?.(offset + part.length)
    }
    return this.#commit(parts)
  }

  async #part(part: Part, digest: Buffer): Promise<UploadedPart> {
    const { api, name } = this.#target
    const contents = { part, pace: this.#options.pace, onSent: (bytes: number) => { this.#options.onProgress?.(part.offset + bytes) } }
    let uploaded: UploadedPart | undefined
    try {
      uploaded = await api.uploadPart(name, this.#session.id, contents, digest, this.#size, this.#signal)
    } catch (error) {
      // A part is there already: an earlier request arrived after all. It cannot be sent twice.
      if (!(error instanceof HoldfastError) || error.data['reason'] !== 'range_overlaps_existing_range') throw error
      uploaded = (await this.#arrived()).get(part.offset)
    }
    if (!uploaded || !isThat(uploaded, part, digest)) return this.#giveUp('Box holds other bytes of a part than were sent.')
    return uploaded
  }

  /** By offset. Parts are numbered in a way that is Box's own: a list that does not go on has nothing more to tell. */
  async #arrived(): Promise<ReadonlyMap<number, UploadedPart>> {
    const { api, name } = this.#target
    const arrived = new Map<number, UploadedPart>()
    const most = Math.ceil(this.#size / this.#session.partBytes)
    for (let told = 0; told <= most; ) {
      const page = await api.parts(name, this.#session.id, told, this.#signal)
      if (page.length === 0) break
      for (const part of page) arrived.set(part.offset, part)
      told += page.length
    }
    return arrived
  }

  /** Repeating is safe: a session is committed once. Box says 202 while it puts the parts together, and now and then that they do not match yet. */
  async #commit(parts: readonly UploadedPart[]): Promise<BoxFile> {
    const { api, name, digest } = this.#target
    for (let tries = 0; tries < mostCommits; tries++) {
      try {
        const file = await api.commit(name, this.#session.id, parts, digest, this.#signal)
        if (file) return file
      } catch (error) {
        // https://github.com/rclone/rclone/issues/2054
        const early = error instanceof HoldfastError && error.data['reason'] === 'parts_mismatch'
        if (!early) throw error
        await api.client.clock.sleep(mismatchMs, this.#signal)
      }
    }
    throw new HoldfastError('unavailable', `Box does not come to an end with ${name}.`)
  }

  /** The session is gone: either it was committed and the reply lost, or Box dropped it. */
  async #requireThere(cause: HoldfastError): Promise<BoxFile> {
    const there = this.#options.ifAbsent ? undefined : await this.#target.stored()
    if (there) return there
    this.#target.journal?.delete(this.#target.name)
    throw new HoldfastError('unavailable', `Box dropped the unfinished upload of ${this.#target.name}.`, { cause })
  }

  async #giveUp(words: string): Promise<never> {
    this.#target.journal?.delete(this.#target.name)
    await discard(this.#target, this.#session.id)
    throw new HoldfastError('unavailable', `${words} (${this.#target.name})`, { data: { advice: 'Run the command again: it begins this upload anew.' } })
  }
}

export async function sha1Of(part: Part, signal: AbortSignal): Promise<Buffer> {
  const hash = createHash('sha1')
  await readPart(part, (bytes) => { hash.update(bytes) }, signal)
  return hash.digest()
}

function isThat({ offset, size, sha1 }: UploadedPart, part: Part, digest: Buffer): boolean {
  return offset === part.offset && size === part.length && (sha1 ?? '').toLowerCase() === digest.toString('hex')
}
