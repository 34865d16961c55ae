import { throwIfAborted } from '../base/abort.ts'
import { hasCode, HoldfastError } from '../base/errors.ts'
import { freeBuffer } from '../base/memory.ts'
import type { StorageBackend } from '../backend/backend.ts'
import type { BlobId, BlobKind } from '../snapshot/node.ts'
import { BlobHasher } from './blob-id.ts'
import { sealOverhead } from './crypto.ts'
import { fetchOpened } from './fetch.ts'
import type { RepositoryKeys } from './keys.ts'
import { packObject } from './names.ts'
import { maxPackBytes, openFooter, openTrailer, trailerBytes } from './pack-end.ts'
import type { BlobLocation, BlobLocator, PackContents, PackSegment } from './pack-info.ts'
import { planRanges, type SegmentRange } from './ranges.ts'
import type { Repository } from './repository.ts'
import { checkHeader, headerBytes } from './sealed.ts'
import { openSegment, takeBlob } from './segment.ts'
import { toHex } from '../base/bytes.ts'

/** Enough for the footer of most packs, so that they take one request. */
const footerGuessBytes = 16 * 1024

/** A segment of a pack, opened: its blobs in order, each with its id checked. */
export interface OpenedSegment {
  readonly segment: PackSegment
  readonly blobs: readonly Uint8Array[]
}

/**
 * A pack's own table of contents, in one or two requests, with the pack's exact size and kind checked.
 * @throws damaged, version, not-found, and what the backend throws
 */
export async function readPackContents(backend: StorageBackend, keys: RepositoryKeys, pack: { readonly name: string; readonly size: number }, signal: AbortSignal): Promise<PackContents> {
  const what = `pack ${pack.name}`
  if (pack.size < headerBytes + sealOverhead + trailerBytes || pack.size > maxPackBytes) throw damaged(pack.name, 'no pack is of its size')
  const guess = Math.min(pack.size, footerGuessBytes)
  return fetchOpened(() => backend.get(packObject(pack.name), { offset: pack.size - guess, length: guess }, signal), async (tail) => {
    const place = openTrailer(keys.packs, pack.size, tail.subarray(tail.length - trailerBytes), what)
    const inTail = tail.length - trailerBytes - place.length
    const footer = inTail >= 0
      ? tail.subarray(inTail, inTail + place.length)
      : await backend.get(packObject(pack.name), place, signal)
    return openFooter(keys.packs, place, footer, what)
  })
}

/**
 * One blob with one ranged read.
 * @throws not-found for an id that nobody knows or a pack that is gone, damaged, and what the backend throws
 */
export async function loadBlob(repository: Repository, locator: BlobLocator, id: BlobId, signal: AbortSignal): Promise<Uint8Array> {
  const location = locator.locate(id)
  if (!location) throw new HoldfastError('not-found', `Blob ${toHex(id)} is in no known pack.`, { data: { blob: toHex(id) } })
  return loadLocated(repository, location, id, signal)
}

/** As loadBlob, from a place that is known. */
async function loadLocated(repository: Repository, location: BlobLocation, id: BlobId, signal: AbortSignal): Promise<Uint8Array> {
  const { pack, kind, segmentOffset: offset, storedLength: length } = location
  return fetchOpened(() => backendGet(repository, pack, { offset, length }, signal), (stored) => {
    const raw = openSegment(repository.keys.packs, kind, location, stored, `pack ${pack}`)
    return takeBlob(new BlobHasher(repository.keys.blobId), raw, location.offsetInSegment, location.length, id, `pack ${pack}`)
  })
}

export interface ReadOptions {
  /** Ranges read ahead at a time; each takes up to 8 MiB (or one larger segment). Default 2. */
  readonly parallel?: number
}

/**
 * Opens segments of one pack in order of offset; neighbours are read with one request. An error ends the iteration at the segment
 * that has it. Blobs of data are good until the next step, which takes their memory back; trees stay.
 * @throws damaged, not-found, and what the backend throws
 */
export async function* readSegments(
  repository: Repository,
  pack: { readonly name: string; readonly kind: BlobKind },
  segments: readonly PackSegment[],
  signal: AbortSignal,
  options: ReadOptions = {},
): AsyncGenerator<OpenedSegment> {
  const hasher = new BlobHasher(repository.keys.blobId)
  for await (const { range, bytes } of readRanges(repository, pack.name, planRanges(segments), signal, options.parallel ?? 2)) {
    for (const segment of range.segments) {
      throwIfAborted(signal)
      const place = { offset: segment.offset, length: segment.storedLength }
      const from = segment.offset - range.offset
      let part: Uint8Array | undefined = bytes.subarray(from, from + segment.storedLength)
      const fetch = async (): Promise<Uint8Array> => {
        const stored = part ?? await backendGet(repository, pack.name, place, signal)
        part = undefined
        return stored
      }
      const blobs = await fetchOpened(fetch, (stored) => openBlobs(repository.keys, hasher, pack, segment, stored))
      yield { segment, blobs }
      if (pack.kind === 'data' && blobs[0]) freeBuffer(blobs[0])
    }
    freeBuffer(bytes)
  }
}

/** All blobs of a stored segment. @throws damaged */
function openBlobs(keys: RepositoryKeys, hasher: BlobHasher, pack: { readonly name: string; readonly kind: BlobKind }, segment: PackSegment, stored: Uint8Array): Uint8Array[] {
  const what = `pack ${pack.name}`
  const shape = { rawLength: segment.rawLength, compression: segment.compression, blobCount: segment.blobs.length }
  const raw = openSegment(keys.packs, pack.kind, shape, stored, what)
  if (segment.blobs.length === 0) freeBuffer(raw)
  let offset = 0
  return segment.blobs.map(({ id, length }) => {
    const blob = takeBlob(hasher, raw, offset, length, id, what)
    offset += length
    return blob
  })
}

/** Checks the first bytes of a pack, which no reader of blobs needs. @throws damaged, version */
export function checkPackHeader(pack: { readonly name: string; readonly kind: BlobKind }, bytes: Uint8Array): void {
  checkHeader(`pack ${pack.name}`, pack.kind === 'data' ? 'data-pack' : 'tree-pack', bytes)
}

async function* readRanges(repository: Repository, name: string, ranges: readonly SegmentRange[], signal: AbortSignal, parallel: number): AsyncGenerator<{ range: SegmentRange; bytes: Uint8Array }> {
  const stop = new AbortController()
  const either = AbortSignal.any([signal, stop.signal])
  const ahead: { range: SegmentRange; bytes: Promise<Uint8Array> }[] = []
  let next = 0
  try {
    for (;;) {
      for (let range = ranges[next]; range && ahead.length < parallel; range = ranges[++next]) {
        const bytes = backendGet(repository, name, range, either)
        bytes.catch(() => undefined)
        ahead.push({ range, bytes })
      }
      const first = ahead.shift()
      if (!first) return
      yield { range: first.range, bytes: await first.bytes }
    }
  } finally {
    stop.abort()
    await Promise.allSettled(ahead.map(({ bytes }) => bytes))
  }
}

async function backendGet(repository: Repository, pack: string, range: { readonly offset: number; readonly length: number }, signal: AbortSignal): Promise<Uint8Array> {
  try {
    return await repository.backend.get(packObject(pack), { offset: range.offset, length: range.length }, signal)
  } catch (error) {
    if (hasCode(error, 'damaged')) throw new HoldfastError('damaged', `pack ${pack} is damaged: it ends too early.`, { cause: error, data: { pack } })
    throw error
  }
}

function damaged(pack: string, why: string): HoldfastError {
  return new HoldfastError('damaged', `pack ${pack} is damaged: ${why}.`, { data: { pack } })
}
