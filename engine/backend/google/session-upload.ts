import { literal, number, object, optional, pipe, regex, safeParse, string, type InferOutput } from 'valibot'
import { HoldfastError } from '../../base/errors.ts'
import type { PutOptions, UploadJournal } from '../backend.ts'
import { parsedJson } from '../http/bearer.ts'
import type { GoogleClient } from './client.ts'
import { discardSession, isSessionOf, sendFile, sessionState, type FileBody } from './session.ts'

const journalEntry = object({ version: literal(1), address: string(), id: optional(pipe(string(), regex(/^[A-Za-z0-9_-]{1,128}$/))), size: number(), crc32: number() })
type Entry = InferOutput<typeof journalEntry>

/** A file that goes up in a session, and what only its storage knows. */
export interface SessionTarget {
  readonly client: GoogleClient
  readonly name: string
  readonly journal: UploadJournal | undefined
  /** Begins a session for a file of that many bytes. */
  begin(signal: AbortSignal): Promise<Pick<Entry, 'address' | 'id'>>
  /** What the storage says of the finished object: is it what was sent? Otherwise removes it, and throws. */
  verify(answer: Buffer, signal: AbortSignal): Promise<void>
  /** Whether the object of a finished session is there, as it was sent. @param id as `begin` gave it */
  isThere(id: string | undefined, signal: AbortSignal): Promise<boolean>
}

/**
 * Sends a file in a session. With a journal, one that broke off goes on where it stopped, in another process too. That is one attempt in
 * the sense of rule R5: a session completes at most once, and when it is gone the name is given up (`unavailable`, no journal entry),
 * unless its object is there.
 */
export async function putInSession(target: SessionTarget, body: FileBody, options: PutOptions, signal: AbortSignal): Promise<void> {
  const kept = await continued(target, body)
  if (kept) await goOn(target, kept, body, options, signal)
  else await beginAnew(target, body, options, signal)
  target.journal?.delete(target.name)
}

async function beginAnew(target: SessionTarget, body: FileBody, options: PutOptions, signal: AbortSignal): Promise<void> {
  const { client, name, journal } = target
  const begun = await target.begin(signal)
  journal?.set(name, JSON.stringify({ version: 1, ...begun, size: body.size, crc32: body.crc32 } satisfies Entry))
  try {
    await finish(target, begun, body, 0, options, signal)
  } catch (error) {
    if (!journal) await discardSession(client, name, begun.address)
    throw error
  }
}

async function goOn(target: SessionTarget, kept: Entry, body: FileBody, options: PutOptions, signal: AbortSignal): Promise<void> {
  const state = await sessionState(target.client, target.name, kept.address, body.size, signal)
  if (state.type === 'open') await finish(target, kept, body, state.bytes, options, signal)
  else await requireThere(target, kept, signal)
}

async function finish(target: SessionTarget, session: Pick<Entry, 'address' | 'id'>, body: FileBody, from: number, options: PutOptions, signal: AbortSignal): Promise<void> {
  const state = await sendFile(target.client, target.name, session.address, body, from, options, signal)
  if (state.type !== 'complete') await requireThere(target, session, signal)
  else {
    await target.verify(state.answer, signal).catch((error: unknown) => {
      // What is wrong is gone, and its session with it.
      target.journal?.delete(target.name)
      throw error
    })
  }
}

/** Finished earlier, or gone: the object was made and the reply lost, or (then it may have been removed since) its name is given up. */
async function requireThere(target: SessionTarget, { id }: Pick<Entry, 'id'>, signal: AbortSignal): Promise<void> {
  if (await target.isThere(id, signal)) return
  target.journal?.delete(target.name)
  throw new HoldfastError('unavailable', `Google dropped the unfinished upload of ${target.name}.`)
}

/** The session that the journal remembers for this very file. */
async function continued({ client, name, journal }: SessionTarget, body: FileBody): Promise<Entry | undefined> {
  const text = journal?.get(name)
  if (text === undefined) return undefined
  const entry = safeParse(journalEntry, parsedJson(text))
  if (entry.success && isSessionOf(client.origin, entry.output.address)) {
    if (entry.output.size === body.size && entry.output.crc32 === body.crc32) return entry.output
    await discardSession(client, name, entry.output.address)
  }
  journal?.delete(name)
  return undefined
}
