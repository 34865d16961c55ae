import { createHash } from 'node:crypto'
import { HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { split } from '../flow/server-folder.ts'
import { begunUpload, rememberBegun, temporaryFolder } from '../flow/unfinished.ts'
import { partBody, readPart, sizeOf as bodySize } from '../http/parts.ts'
import type { Watch } from '../http/watch.ts'
import type { FtpConnection } from './connection.ts'
import { isReply } from './errors.ts'
import { sizeOf } from './files.ts'
import type { Ground } from './ground.ts'

/** Less is sent again. */
const leastResumed = 2 * 1024 * 1024
/** So much of what is there is read back and compared before an upload goes on: another file than the one that was begun is found out. */
const comparedBytes = 64 * 1024

type FileBody = Extract<Body, { type: 'file' }>

/** Where an upload goes, and what it goes through. */
export interface UploadPlace {
  readonly ground: Ground
  readonly object: string
  readonly connection: FtpConnection
  readonly watch: Watch
  readonly journal: UploadJournal | undefined
}

interface Begun {
  /** Below the repository's folder. */
  readonly temporary: string
  readonly offset: number
}

/**
 * Stores the body under another name, checked, and resolves to that name. Of a file that is worth it, the journal remembers the name: a put of the
 * same object and file goes on from what is there. Undefined: the object has its name already.
 * @param fresh the name of a new one
 */
export async function upload(place: UploadPlace, fresh: string, body: Body, options: PutOptions): Promise<string | undefined> {
  const { ground, connection, watch, object } = place
  await ground.make(temporaryFolder, connection, watch)
  const begun = (body.type === 'file' ? await resumed(place, body) : undefined) ?? begin(place, fresh, body)
  if (begun === 'complete') return undefined
  const { temporary, offset } = begun
  const size = bodySize(body)
  const path = ground.pathOf(temporary)
  options.onProgress?.(offset)
  if (offset < size || size === 0) {
    const source = partBody({ body, offset, length: size - offset }, watch, options.pace, (bytes) => { options.onProgress?.(offset + bytes) })
    try {
      await connection.store(path, offset, source, watch)
    } finally {
      source.destroy()
    }
  }
  const stored = await sizeOf(path, connection, watch)
  if (stored !== size) throw new HoldfastError('unavailable', `The server has ${stored ?? 'no'} bytes of ${object}, and ${size} were sent.`)
  if (connection.features.hash) await expectHash(place, path, body)
  return temporary
}

function begin({ object, journal }: UploadPlace, name: string, body: Body): Begun {
  if (journal && body.type === 'file' && body.size >= leastResumed) rememberBegun(journal, object, name, body)
  return { temporary: `${temporaryFolder}/${name}`, offset: 0 }
}

/** What the journal tells of an earlier put, if it is there and of this file. What makes no sense is forgotten. */
async function resumed(place: UploadPlace, body: FileBody): Promise<Begun | 'complete' | undefined> {
  const { ground, journal, object, connection, watch } = place
  if (journal?.get(object) === undefined) return undefined
  const begun = begunUpload(journal, object, body)
  if (begun) {
    const temporary = `${temporaryFolder}/${begun.temporary}`
    const path = ground.pathOf(temporary)
    const there = await sizeOf(path, connection, watch)
    if (begun.isSameFile) {
      if (there !== undefined && there <= body.size && (await isSame(path, place, body, there))) return { temporary, offset: there }
      // The name was given, and the answer lost.
      const target = ground.pathOf(object)
      if (there === undefined && (await sizeOf(target, connection, watch)) === body.size && (await isSame(target, place, body, body.size))) return 'complete'
    }
    if (there !== undefined) await remove(path, connection, watch)
  }
  journal.delete(object)
  return undefined
}

/** Whether what is there before an offset is what belongs there. */
async function isSame(path: string, { connection, watch }: UploadPlace, body: Body, offset: number): Promise<boolean> {
  const length = Math.min(comparedBytes, offset)
  if (length === 0) return true
  const [there, wanted] = [createHash('sha256'), createHash('sha256')]
  let got = 0
  await connection.fetch(`RETR ${path}`, offset - length, (bytes) => {
    there.update(bytes.subarray(0, length - got))
    return (got += bytes.length) < length
  }, watch)
  await readPart({ body, offset: offset - length, length }, (bytes) => wanted.update(bytes), watch.signal)
  return got === length && there.digest('hex') === wanted.digest('hex')
}

/** What the server has of it is what was sent, where the server can tell (draft-bryan-ftp-hash). Errors: unavailable. */
async function expectHash({ object, connection, watch }: UploadPlace, path: string, body: Body): Promise<void> {
  let reply: string
  try {
    reply = await connection.command(`HASH ${path}`, watch)
  } catch (error) {
    // It may be busy, or want no files as large as this.
    if (isReply(error, 450, 451, 500, 501, 502, 504, 550, 552, 553, 556)) return
    throw error
  }
  const told = /\bSHA-256 \d+-\d+ ([0-9a-fA-F]{64})\b/.exec(reply)?.[1]
  if (told === undefined) return
  const hash = createHash('sha256')
  await readPart({ body, offset: 0, length: bodySize(body) }, (bytes) => hash.update(bytes), watch.signal)
  if (hash.digest('hex') === told.toLowerCase()) return
  await remove(path, connection, watch)
  throw new HoldfastError('unavailable', `The server has other bytes of ${object} than were sent.`)
}

/** Gives a file the name of the object, in place of whatever has it. Done again after its answer was lost, it fails and nothing changes. */
export async function giveName({ ground, object, connection, watch }: UploadPlace, temporary: string): Promise<void> {
  const [folder] = split(object)
  const target = ground.pathOf(object)
  const rename = async (): Promise<void> => {
    await connection.command(`RNFR ${ground.pathOf(temporary)}`, watch)
    await connection.command(`RNTO ${target}`, watch)
  }
  await ground.make(folder, connection, watch)
  try {
    await rename()
  } catch (error) {
    if (!isReply(error, 450, 550, 553)) throw error
    // The folder has vanished, or the server does not replace: objects that must never lack are not put twice.
    ground.forget()
    await ground.make(folder, connection, watch)
    if ((await sizeOf(target, connection, watch)) !== undefined) await remove(target, connection, watch)
    await rename()
  }
}

/** False: it was not there. */
export async function remove(path: string, connection: FtpConnection, watch: Watch): Promise<boolean> {
  try {
    await connection.command(`DELE ${path}`, watch)
    return true
  } catch (error) {
    if (isReply(error, 450, 550) && (await sizeOf(path, connection, watch)) === undefined) return false
    throw error
  }
}
