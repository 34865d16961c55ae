import { literal, maxLength, number, object, pipe, safeParse, string } from 'valibot'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { parsedJson } from '../http/bearer.ts'
import { sizeOf } from '../http/parts.ts'
import type { OneDriveApi, SessionState, StoredFile } from './api.ts'

/** Of what is on its way when an upload breaks off, OneDrive keeps nothing. A multiple of 320 KiB, as all but the last have to be. */
const rangeBytes = 10 * 1024 * 1024
const mostStalls = 3
const cleanUpMs = 900

const journalEntry = object({ version: literal(1), url: pipe(string(), maxLength(16_384)), size: number(), crc32: number() })

export interface SessionTarget {
  readonly api: OneDriveApi
  /** The object's name, under which the journal keeps the upload. */
  readonly name: string
  readonly path: readonly string[]
  readonly journal: UploadJournal | undefined
  /** What is stored under the name now, where it is what is sent. */
  stored(): Promise<StoredFile | undefined>
}

/**
 * Sends a body in the ranges of an upload session, one after the other: nothing is visible before the last. With a journal, that of a file
 * goes on where it stopped, in another process too, at the byte that OneDrive names. That is one attempt in the sense of rule R5: a session
 * becomes a file at most once, and when it is gone the name is given up (`unavailable`, no journal entry), unless its object is there.
 * OneDrive ends a session by itself after some days, and tells nobody which there are.
 */
export async function putInSession(target: SessionTarget, body: Body, options: PutOptions, signal: AbortSignal): Promise<StoredFile> {
  const { api, name, path, journal } = target
  const kept = await keptOf(target, body)
  const url = kept ?? await api.beginSession(name, path, options.ifAbsent === true, signal)
  if (body.type === 'file') journal?.set(name, JSON.stringify({ version: 1, url, size: body.size, crc32: body.crc32 }))
  try {
    const file = await new SessionSending(target, url, body, options, signal).run(kept !== undefined)
    journal?.delete(name)
    return file
  } catch (error) {
    if (hasCode(error, 'exists')) journal?.delete(name)
    if (!journal || body.type === 'bytes' || journal.get(name) === undefined) await discard(target, url)
    throw error
  }
}

/** The session that the journal remembers for this very file. */
async function keptOf(target: SessionTarget, body: Body): Promise<string | undefined> {
  const { api, name, journal } = target
  const text = body.type === 'file' ? journal?.get(name) : undefined
  if (text === undefined) return undefined
  const entry = safeParse(journalEntry, parsedJson(text))
  if (entry.success && api.client.isElsewhere(entry.output.url)) {
    if (body.type === 'file' && entry.output.size === body.size && entry.output.crc32 === body.crc32) return entry.output.url
    await discard(target, entry.output.url)
  }
  journal?.delete(name)
  return undefined
}

/** Best effort within the second that a cancel may take: what remains ends by itself. */
async function discard({ api, name }: SessionTarget, url: string): Promise<void> {
  await api.abortSession(name, url, AbortSignal.timeout(cleanUpMs)).catch(() => undefined)
}

class SessionSending {
  readonly #target: SessionTarget
  readonly #url: string
  readonly #body: Body
  readonly #size: number
  readonly #options: PutOptions
  readonly #signal: AbortSignal

  constructor(target: SessionTarget, url: string, body: Body, options: PutOptions, signal: AbortSignal) {
    this.#target = target
    this.#url = url
    this.#body = body
    this.#size = sizeOf(body)
    this.#options = options
    this.#signal = signal
  }

  async run(resumes: boolean): Promise<StoredFile> {
    try {
      return await this.#send(resumes ? await this.#state() : { type: 'open', offset: 0 })
    } catch (error) {
      if (!isGone(error)) throw error
      // It became a file earlier, and the reply was lost; or OneDrive dropped it.
      const there = this.#options.ifAbsent ? undefined : await this.#target.stored()
      return there ?? this.#giveUp(`OneDrive dropped the unfinished upload of ${this.#target.name}.`, error)
    }
  }

  #state(): Promise<SessionState> {
    return this.#target.api.sessionState(this.#target.name, this.#url, this.#size, this.#signal)
  }

  async #send(from: SessionState): Promise<StoredFile> {
    let state = from
    for (let stalls = 0; state.type === 'open'; ) {
      const { offset }: { readonly offset: number } = state
      this.#options.onProgress?.(offset)
      state = await this.#range(offset)
      if (state.type === 'open' && state.offset <= offset && ++stalls === mostStalls) {
        throw new HoldfastError('unavailable', `OneDrive keeps nothing of what is sent of ${this.#target.name}.`)
      }
    }
    // All bytes are there, and the last of them was refused: nothing that is sent again would change it.
    return state.type === 'complete' ? state.file : this.#giveUp(`OneDrive has all of ${this.#target.name} and makes no file of it.`)
  }

  async #range(offset: number): Promise<SessionState> {
    const { api, name } = this.#target
    const part = { body: this.#body, offset, length: Math.min(rangeBytes, this.#size - offset) }
    const contents = { part, pace: this.#options.pace, onSent: (bytes: number) => { this.#options.onProgress?.(offset + bytes) } }
    try {
      return await api.uploadRange(name, this.#url, contents, this.#size, this.#signal)
    } catch (error) {
      // An earlier request arrived after all.
      if (!(error instanceof HoldfastError) || error.data['status'] !== 416) throw error
      return this.#state()
    }
  }

  #giveUp(words: string, cause?: unknown): never {
    this.#target.journal?.delete(this.#target.name)
    throw new HoldfastError('unavailable', words, { cause, data: { advice: 'Run the command again: it begins this upload anew.' } })
  }
}

/** 404: "the upload session no longer exists"; 401: its address has ended. */
function isGone(error: unknown): boolean {
  return hasCode(error, 'not-found') || (hasCode(error, 'unavailable') && error.data['status'] === 401)
}
