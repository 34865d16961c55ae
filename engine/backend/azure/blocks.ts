import { createHash, randomBytes } from 'node:crypto'
import { boolean, literal, maxValue, minValue, number, object, pipe, regex, safeInteger, safeParse, string, type InferOutput } from 'valibot'
import { hasCode, HoldfastError } from '../../base/errors.ts'
import type { Body, PutOptions, UploadJournal } from '../backend.ts'
import { parsedJson } from '../http/bearer.ts'
import { readPart, sizeOf, type Part } from '../http/parts.ts'
import type { Container, StoredBlock, StoredBlocks } from './container.ts'
import { reasonOf } from './errors.ts'

const mebibyte = 1024 * 1024
/** What is sent again, at most, when an upload broke off. */
const standardBlock = 8 * mebibyte
/** https://learn.microsoft.com/azure/storage/blobs/scalability-targets */
const mostBlocks = 50_000
const mostBlockBytes = 4000 * mebibyte
export const mostBytes = mostBlocks * mostBlockBytes

const journalEntry = object({
  version: literal(1), run: pipe(string(), regex(/^[0-9a-f]{16}$/)), blockBytes: pipe(number(), safeInteger(), minValue(mebibyte), maxValue(mostBlockBytes)),
  size: number(), crc32: number(), committing: boolean(),
})
type Upload = InferOutput<typeof journalEntry>

export interface BlocksTarget {
  readonly container: Container
  readonly key: string
  /** The object's name, under which the journal keeps the upload. */
  readonly name: string
  readonly journal: UploadJournal | undefined
}

/** Whether a body is better sent in blocks: there is no request but one for each, and one that makes the blob of them. */
export function goesInBlocks(size: number): boolean {
  return size > standardBlock
}

/**
 * Sends a body in blocks: nothing is visible before its block list is put. With a journal, that of a file goes on where it stopped, in
 * another process too: a block's id holds its MD5, which Azure compared when it came, so that whatever is there under an id of this
 * upload is what would be sent. That is one attempt in the sense of rule R5: the journal knows, before the list is put, that it is put;
 * when the blocks are gone after that, the name is given up (`unavailable`, no journal entry), unless its object is there.
 * Azure forgets blocks without a blob after a week, and knows no other way to be rid of them: https://learn.microsoft.com/rest/api/storageservices/put-block
 */
export async function putInBlocks(target: BlocksTarget, body: Body, options: PutOptions, signal: AbortSignal): Promise<void> {
  const kept = keptOf(target, body)
  const upload = kept ?? begun(target, body)
  await new BlockSending(target, upload, body, options, signal).run(kept !== undefined)
  target.journal?.delete(target.name)
}

function begun(target: BlocksTarget, body: Body): Upload {
  const size = sizeOf(body)
  const blockBytes = Math.max(standardBlock, Math.ceil(size / mostBlocks / mebibyte) * mebibyte)
  const upload: Upload = { version: 1, run: randomBytes(8).toString('hex'), blockBytes, size, crc32: body.type === 'file' ? body.crc32 : 0, committing: false }
  if (body.type === 'file') target.journal?.set(target.name, JSON.stringify(upload))
  return upload
}

/** What the journal remembers for this very file. Of another one no blob can be made: its blocks have other ids. */
function keptOf({ journal, name }: BlocksTarget, body: Body): Upload | undefined {
  const text = body.type === 'file' ? journal?.get(name) : undefined
  if (text === undefined) return undefined
  const entry = safeParse(journalEntry, parsedJson(text))
  if (entry.success && body.type === 'file' && entry.output.size === body.size && entry.output.crc32 === body.crc32) return entry.output
  journal?.delete(name)
  return undefined
}

interface Block {
  readonly id: string
  readonly part: Part
  readonly md5: Buffer
}

class BlockSending {
  readonly #target: BlocksTarget
  readonly #upload: Upload
  readonly #body: Body
  readonly #options: PutOptions
  readonly #signal: AbortSignal

  constructor(target: BlocksTarget, upload: Upload, body: Body, options: PutOptions, signal: AbortSignal) {
    this.#target = target
    this.#upload = upload
    this.#body = body
    this.#options = options
    this.#signal = signal
  }

  async run(resumes: boolean): Promise<void> {
    const blocks = await this.#blocks()
    const ids = blocks.map(({ id }) => id)
    const there = resumes ? await this.#there() : { waiting: [], committed: [] }
    if (isBlobOf(there.committed, ids)) return
    await this.#send(blocks, new Map(there.waiting.map((block) => [block.id, block.size])))
    this.#keepCommitting()
    try {
      await this.#target.container.commit(this.#target.key, ids, this.#options.ifAbsent === true, this.#signal)
    } catch (error) {
      if (hasCode(error, 'exists')) this.#target.journal?.delete(this.#target.name)
      if (reasonOf(error) !== 'InvalidBlockList') throw error
      // Blocks are gone: the list was put before and the reply lost; or another put of the name was faster.
      await this.#requireThere(ids, error)
    }
  }

  async #blocks(): Promise<readonly Block[]> {
    const { size, blockBytes, run } = this.#upload
    const blocks: Block[] = []
    for (let offset = 0; offset < size; offset += blockBytes) {
      const part = { body: this.#body, offset, length: Math.min(blockBytes, size - offset) }
      const md5 = await md5Of(part, this.#signal)
      blocks.push({ part, md5, id: blockId(run, blocks.length, md5) })
    }
    return blocks
  }

  async #there(): Promise<StoredBlocks> {
    try {
      return await this.#target.container.blocks(this.#target.key, this.#signal)
    } catch (error) {
      if (!hasCode(error, 'not-found')) throw error
      return { waiting: [], committed: [] }
    }
  }

  /** One block after the other: a transfer is one connection, so that an account's cap on transfers is one on connections too (A3). */
  async #send(blocks: readonly Block[], waiting: ReadonlyMap<string, number>): Promise<void> {
    const { container, key } = this.#target
    const { pace, onProgress } = this.#options
    for (const { id, part, md5 } of blocks) {
      if (waiting.get(id) !== part.length) {
        // With all of them the list was put; what is not there now became a blob, which may have been removed since.
        if (this.#upload.committing) this.#giveUp()
        await container.putBlock(key, id, { part, md5, pace, onSent: (bytes) => { onProgress?.(part.offset + bytes) } }, this.#signal)
      }
      onProgress?.(part.offset + part.length)
    }
  }

  #keepCommitting(): void {
    const { journal, name } = this.#target
    if (this.#body.type === 'file') journal?.set(name, JSON.stringify({ ...this.#upload, committing: true } satisfies Upload))
  }

  async #requireThere(ids: readonly string[], cause: unknown): Promise<void> {
    const { container, key, name } = this.#target
    const { committed } = await container.blocks(key, this.#signal).catch((error: unknown) => {
      if (!hasCode(error, 'not-found')) throw error
      return { committed: [] }
    })
    if (isBlobOf(committed, ids)) return
    if (this.#options.ifAbsent && committed.length > 0) throw new HoldfastError('exists', `The object exists already. (${name})`, { cause })
    this.#giveUp(cause)
  }

  #giveUp(cause?: unknown): never {
    const { journal, name } = this.#target
    journal?.delete(name)
    throw new HoldfastError('unavailable', `Azure dropped the unfinished upload of ${name}.`, { cause })
  }
}

/** Base64 of run, number and MD5: of one length for all blocks of a blob, as Azure demands. */
function blockId(run: string, index: number, md5: Buffer): string {
  const number = Buffer.alloc(4)
  number.writeUInt32BE(index)
  return Buffer.concat([Buffer.from(run, 'hex'), number, md5]).toString('base64')
}

function isBlobOf(committed: readonly StoredBlock[], ids: readonly string[]): boolean {
  return committed.length === ids.length && committed.every(({ id }, index) => id === ids[index])
}

export async function md5Of(part: Part, signal: AbortSignal): Promise<Buffer> {
  const hash = createHash('md5')
  await readPart(part, (bytes) => { hash.update(bytes) }, signal)
  return hash.digest()
}
