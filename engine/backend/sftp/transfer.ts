import { open } from 'node:fs/promises'
import { HoldfastError } from '../../base/errors.ts'
import type { Body, Pace } from '../backend.ts'
import type { Watch } from '../http/watch.ts'
import type { Handle, Session } from './session.ts'

/** What every server takes in one request (draft-ietf-secsh-filexfer-02, 3), and ssh2 sends in one: of more it sends the rest when the first was answered. */
export const pieceBytes = 31 * 1024
/** Requests of one transfer that are on their way: at 100 ms there and back, 10 MB/s. */
const mostOnTheWay = 32
/** What a transfer that broke may have left unwritten before what it wrote last. */
export const onTheWayBytes = mostOnTheWay * pieceBytes
const readBytes = 8 * pieceBytes

/**
 * Some of many tasks at a time, none of them further than so many after the first that is not over. The first error is thrown where the next task
 * would begin, or at the end; the others are dropped.
 */
class Pipeline {
  readonly #most: number
  readonly #running: Promise<void>[] = []
  #failure: { readonly error: unknown } | undefined

  constructor(most: number) {
    this.#most = most
  }

  async add(task: () => Promise<void>): Promise<void> {
    // For the oldest, not for any: a server may let one write lie while it does those behind it, and what lacks must be near the end.
    if (this.#running.length >= this.#most) await this.#running.shift()
    this.#expectNoFailure()
    this.#running.push(task().catch((error: unknown) => { this.#failure ??= { error } }))
  }

  async end(): Promise<void> {
    await Promise.all(this.#running)
    this.#expectNoFailure()
  }

  #expectNoFailure(): void {
    if (this.#failure) throw this.#failure.error
  }
}

/** How many writes of a file may be on their way: as many as fill a link, or one, for servers that only append. */
export type Writing = 'side by side' | 'one by one'

/** Writes a body from an offset on. @param onStored gets the bytes of the body that the server has acknowledged. */
export async function writeBody(
  session: Session, handle: Handle, body: Body, offset: number, writing: Writing, pace: Pace | undefined, onStored: (bytes: number) => void, watch: Watch,
): Promise<void> {
  await using source = await sourceOf(body)
  const pipeline = new Pipeline(writing === 'one by one' ? 1 : mostOnTheWay)
  let stored = offset
  for (let position = offset; position < source.size; ) {
    const bytes = await source.read(position, await watch.granted(Math.min(readBytes, source.size - position), pace))
    for (let at = 0; at < bytes.length; at += pieceBytes) {
      const piece = bytes.subarray(at, at + pieceBytes)
      const to = position + at
      await pipeline.add(async () => {
        await session.write(handle, piece, to, watch)
        onStored((stored += piece.length))
      })
    }
    position += bytes.length
  }
  await pipeline.end()
}

/** The bytes of a file from an offset on, all that there must be. Errors: damaged (it ends before). */
export async function readRange(name: string, session: Session, handle: Handle, offset: number, length: number, pace: Pace | undefined, watch: Watch): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(length)
  const pipeline = new Pipeline(mostOnTheWay)
  for (let asked = 0; asked < length; ) {
    const slice = await watch.granted(Math.min(readBytes, length - asked), pace)
    for (let at = 0; at < slice; at += pieceBytes) {
      const from = asked + at
      const piece = bytes.subarray(from, from + Math.min(pieceBytes, slice - at))
      await pipeline.add(() => readFully(name, session, handle, piece, offset + from, watch))
    }
    asked += slice
  }
  await pipeline.end()
  return bytes
}

/** A server may give less than it was asked for. */
async function readFully(name: string, session: Session, handle: Handle, into: Buffer, position: number, watch: Watch): Promise<void> {
  for (let got = 0; got < into.length; ) {
    const count = await session.read(handle, into.subarray(got), position + got, watch)
    if (count <= 0) throw new HoldfastError('damaged', `${name} ends before the bytes that were asked for.`)
    got += count
  }
}

/** A stretch of what is put. Errors: damaged (the file is shorter than it says). */
export async function readBody(body: Body, offset: number, length: number): Promise<Buffer> {
  await using source = await sourceOf(body)
  return await source.read(offset, length)
}

interface Source extends AsyncDisposable {
  readonly size: number
  /** Exactly so many bytes, in memory of their own. */
  read(offset: number, length: number): Promise<Buffer>
}

async function sourceOf(body: Body): Promise<Source> {
  if (body.type === 'bytes') {
    const { bytes } = body
    const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return { size: bytes.length, read: async (offset, length) => all.subarray(offset, offset + length), [Symbol.asyncDispose]: async () => undefined }
  }
  const file = await open(body.path, 'r')
  return {
    size: body.size,
    async read(offset, length) {
      const buffer = Buffer.allocUnsafe(length)
      for (let got = 0; got < length; ) {
        const { bytesRead } = await file.read(buffer, got, length - got, offset + got)
        if (bytesRead === 0) throw new HoldfastError('damaged', 'The file being sent has become shorter than it was sealed.')
        got += bytesRead
      }
      return buffer
    },
    [Symbol.asyncDispose]: () => file.close(),
  }
}
