import { HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { split } from '../flow/server-folder.ts'
import { begunUpload, rememberBegun, temporaryFolder, temporaryName } from '../flow/unfinished.ts'
import { sizeOf } from '../http/parts.ts'
import type { Watch } from '../http/watch.ts'
import { fullError, isStatus, status } from './errors.ts'
import { notInPlace, type Ground } from './ground.ts'
import type { Handle, Session } from './session.ts'
import { onTheWayBytes, readBody, readRange, writeBody, type Writing } from './transfer.ts'

/** Less is sent again. */
const leastResumed = 2 * onTheWayBytes
/** So much of what is there is read back and compared before an upload goes on: another file than the one that was begun is found out. */
const comparedBytes = 128 * 1024

type FileBody = Extract<Body, { type: 'file' }>

/** Where an upload goes, and what it goes through. */
export interface UploadPlace {
  readonly ground: Ground
  readonly object: string
  readonly session: Session
  readonly watch: Watch
  readonly journal: UploadJournal | undefined
}

/** A file that is being written, of which so many bytes are there. */
interface Begun {
  readonly temporary: string
  readonly handle: Handle
  readonly offset: number
}

/**
 * Writes the body to a file of another name, whole and durable, and resolves to that name. Of a file that is worth it, the journal
 * remembers the name: a put of the same object and file goes on from what is there; one by one, it begins anew. Undefined: the object has its name
 * already.
 */
export async function upload(place: UploadPlace, body: Body, options: PutOptions, writing: Writing): Promise<string | undefined> {
  const { ground, session, watch, journal, object } = place
  await ground.make(temporaryFolder, session, watch)
  const begun = (body.type === 'file' ? await resumed(place, body, writing) : undefined) ?? (await begin(place, body, options, writing))
  if (begun === 'complete') return undefined
  const { handle, temporary } = begun
  try {
    options.onProgress?.(begun.offset)
    await writeBody(session, handle, body, begun.offset, writing, options.pace, (bytes) => { options.onProgress?.(bytes) }, watch)
    await session.sync(handle, watch)
    const size = sizeOf(body)
    const stored = await session.sizeOf(handle, watch)
    if (stored !== size) throw new HoldfastError('unavailable', `The server has ${stored} bytes of ${object}, and ${size} were sent.`)
  } catch (error) {
    // Asked while what was written is still there.
    const told = await orFull(error, place)
    session.closeSoon(handle)
    if (journal?.get(object) === undefined) session.removeSoon(ground.pathOf(temporary))
    throw told
  }
  await session.close(handle, watch)
  return temporary
}

/** Version 3 of the protocol has one word for all that fails in a disk: the server is asked whether its disk is full. */
export async function orFull(error: unknown, { ground, object, session, watch }: Omit<UploadPlace, 'journal'>): Promise<unknown> {
  const isFull = isStatus(error, status.failure) && (await session.isFull(ground.root, watch).catch(() => false))
  return isFull ? fullError(object, error) : error
}

async function begin({ ground, object, session, watch, journal }: UploadPlace, body: Body, options: PutOptions, writing: Writing): Promise<Begun> {
  const name = temporaryName()
  const temporary = `${temporaryFolder}/${name}`
  const handle = await session.openToWrite(ground.pathOf(temporary), 'new', watch)
  if (journal && body.type === 'file' && body.size >= leastResumed && !options.ifAbsent && writing === 'side by side') {
    rememberBegun(journal, object, name, body)
  }
  return { temporary, handle, offset: 0 }
}

/** What the journal tells of an earlier put, if it is there and of this file. What makes no sense is forgotten. */
async function resumed(place: UploadPlace, body: FileBody, writing: Writing): Promise<Begun | 'complete' | undefined> {
  const { ground, journal, object, session, watch } = place
  if (journal?.get(object) === undefined) return undefined
  const begun = begunUpload(journal, object, body)
  if (begun) {
    const temporary = `${temporaryFolder}/${begun.temporary}`
    const path = ground.pathOf(temporary)
    if (begun.isSameFile && writing === 'side by side') {
      const found = await session.lookAt(path, watch)
      if (found?.kind === 'file' && found.size <= body.size) {
        const handle = await session.openToWrite(path, 'there', watch)
        // What was on its way last may lack in the middle.
        const offset = Math.max(0, found.size - onTheWayBytes)
        if (await isSame(place, handle, body, offset)) return { temporary, handle, offset }
        session.closeSoon(handle)
      }
      if (!found && (await isComplete(place, body))) return 'complete'
    }
    await session.remove(path, watch)
  }
  journal.delete(object)
  return undefined
}

/** The name was given, and the answer lost. */
async function isComplete(place: UploadPlace, body: FileBody): Promise<boolean> {
  const { ground, object, session, watch } = place
  const path = ground.pathOf(object)
  const found = await session.lookAt(path, watch)
  if (found?.kind !== 'file' || found.size !== body.size) return false
  const handle = await session.openToRead(path, watch)
  try {
    return await isSame(place, handle, body, body.size)
  } finally {
    session.closeSoon(handle)
  }
}

/** Whether what is there before an offset is what belongs there. */
async function isSame({ object, session, watch }: UploadPlace, handle: Handle, body: Body, offset: number): Promise<boolean> {
  const length = Math.min(comparedBytes, offset)
  const there = await readRange(object, session, handle, offset - length, length, undefined, watch)
  return Buffer.compare(there, await readBody(body, offset - length, length)) === 0
}

/** Gives a file the name of the object, in place of whatever has it. Done again after its answer was lost, it fails and nothing changes. */
export async function replace({ ground, object, session, watch }: UploadPlace, temporary: string): Promise<void> {
  const [from, to] = [ground.pathOf(temporary), ground.pathOf(object)]
  try {
    await inFolder({ ground, object, session, watch }, () => session.rename(from, to, watch))
  } catch (error) {
    if (session.replacesByRename || !isStatus(error, status.failure, status.exists)) throw error
    // Such servers cannot replace in one step; objects that must never lack are not put twice.
    if (!(await session.remove(to, watch))) throw error
    await session.rename(from, to, watch)
  }
}

/** Gives a file the name of the object if nothing has it; false: something has. The server was seen to do this. */
export async function create({ ground, object, session, watch }: UploadPlace, temporary: string): Promise<boolean> {
  const [from, to] = [ground.pathOf(temporary), ground.pathOf(object)]
  try {
    await inFolder({ ground, object, session, watch }, () => session.link(from, to, watch))
  } catch (error) {
    if (!isStatus(error, status.failure, status.exists, status.unsupported, status.denied)) throw error
    const found = await session.lookAt(to, watch)
    if (!found) throw error
    if (found.kind !== 'file') throw notInPlace('file', to, found)
    return false
  }
  await session.remove(from, watch)
  return true
}

export function noExclusiveCreate(): HoldfastError {
  return new HoldfastError('unsupported', 'The server cannot create a file only if there is none of its name.')
}

/** Does what needs the folder of the object; it is made when it is missing. */
async function inFolder({ ground, object, session, watch }: Omit<UploadPlace, 'journal'>, step: () => Promise<void>): Promise<void> {
  const [folder] = split(object)
  await ground.make(folder, session, watch)
  try {
    await step()
  } catch (error) {
    if (!isStatus(error, status.noSuchFile, status.noSuchPath)) throw error
    ground.forget()
    await ground.make(folder, session, watch)
    await step()
  }
}
