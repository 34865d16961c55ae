import { existsSync, readFileSync } from 'node:fs'
import { crc32, zstdCompressSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ByteWriter, compareBytes } from '../../../engine/base/bytes.ts'
import { checkPackHeader, loadBlob, readPackContents, readSegments } from '../../../engine/repository/pack-reader.ts'
import { groupBlobs, PackWriter, sharedSegmentBlobs, sharedSegmentBytes, type BlobBytes } from '../../../engine/repository/pack-writer.ts'
import { seal } from '../../../engine/repository/crypto.ts'
import { encodeFooter } from '../../../engine/repository/footer.ts'
import { packObject } from '../../../engine/repository/names.ts'
import { footerAdditionalData, trailerAdditionalData, trailerBytes } from '../../../engine/repository/pack-end.ts'
import type { BlobLocator, PackContents } from '../../../engine/repository/pack-info.ts'
import { openSegment, sharedBlobBytes } from '../../../engine/repository/segment.ts'
import type { Repository } from '../../../engine/repository/repository.ts'
import { blobsOf, codeOf, collect, Folder, locationsOf, never, newRepository, noise, prose, upload, writePack } from './support.ts'

const repository = await newRepository()

/** The plaintext of a shared segment with these pieces, frames or not. */
function framesOf(pieces: readonly (readonly [Uint8Array, boolean])[]): Uint8Array {
  const writer = new ByteWriter()
  for (const [{ length }, packed] of pieces) writer.varint(2 * length + (packed ? 1 : 0))
  for (const [piece] of pieces) writer.bytes(piece)
  return Uint8Array.from(writer.written())
}

async function readAll(of: Repository, name: string, contents: PackContents): Promise<Uint8Array[]> {
  const copies: Uint8Array[] = []
  for await (const { blobs } of readSegments(of, { name, kind: contents.kind }, contents.segments, never)) copies.push(...blobs.map((blob) => Uint8Array.from(blob)))
  return copies
}

function sameBytes(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((bytes, index) => Buffer.compare(bytes, b[index] ?? Buffer.from('?')) === 0)
}

const group = fc.array(fc.oneof(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.integer({ min: 1, max: 30_000 }).map((length) => prose(String(length), length))), { minLength: 1, maxLength: 8 })

test('whatever is written is read back, by footer, by segment and by blob', async () => {
  await fc.assert(fc.asyncProperty(fc.array(group, { maxLength: 6 }), fc.constantFrom('data', 'tree'), fc.constantFrom(0, 1, 3), async (groups, kind, level) => {
    using folder = new Folder()
    const blobs = groups.map((contents) => blobsOf(repository, contents))
    const sealed = writePack(folder, repository, blobs, kind, level)
    const bytes = readFileSync(sealed.path)
    expect([bytes.length, crc32(bytes)]).toEqual([sealed.size, sealed.crc32])
    const name = await upload(repository, sealed)
    const contents = await readPackContents(repository.backend, repository.keys, { name, size: sealed.size }, never)
    expect(contents).toEqual(sealed.contents)
    checkPackHeader({ name, kind }, bytes)
    const all = blobs.flat()
    expect(sameBytes(await readAll(repository, name, contents), all.map((blob) => blob.bytes))).toBe(true)
    const locations = locationsOf(name, contents)
    for (const [index, blob] of all.entries()) {
      const locator: BlobLocator = { locate: () => locations[index] }
      expect(sameBytes([await loadBlob(repository, locator, blob.id, never)], [blob.bytes])).toBe(true)
    }
  }), { numRuns: 30 })
})

test('packs say what compresses and what does not', () => {
  using folder = new Folder()
  const sealed = writePack(folder, repository, blobsOf(repository, [prose('a', 100_000), noise('b', 100_000), prose('c', 30), noise('d', 3000)]).map((blob) => [blob]))
  expect(sealed.contents.segments.map(({ compression }) => compression)).toEqual(['zstd', 'none', 'none', 'none', 'none'])
  expect(sealed.size).toBeLessThan((60_000 + 100_000 + 4000 + 16_384) * 1.05)
})

test('text behind a beginning that does not compress is still compressed', () => {
  using folder = new Folder()
  const bytes = Buffer.concat([noise('head', 200_000), prose('text', 600_000)])
  const sealed = writePack(folder, repository, [blobsOf(repository, [bytes])])
  expect(sealed.contents.segments[0]?.compression).toBe('zstd')
})

test('absorbing packs gives one that holds everything', async () => {
  using folder = new Folder()
  const contents = [[prose('1', 5000), noise('2', 900)], [noise('3', 700_000)], [prose('4', 1_200_000)], [prose('5', 50)]]
  const blobs = contents.map((part) => blobsOf(repository, part))
  const small = blobs.slice(0, 3).map((part) => writePack(folder, repository, [part]))
  const writer = new PackWriter(folder.file(), repository.keys.packs, 'data', { level: 1 })
  for (const pack of small) writer.absorb(pack)
  writer.append(blobs[3] ?? [])
  const merged = writer.finish()
  const name = await upload(repository, merged)
  expect(crc32(readFileSync(merged.path))).toBe(merged.crc32)
  const read = await readPackContents(repository.backend, repository.keys, { name, size: merged.size }, never)
  expect(read).toEqual(merged.contents)
  expect(sameBytes(await readAll(repository, name, read), contents.flat())).toBe(true)
  expect(() => { new PackWriter(folder.file(), repository.keys.packs, 'tree', { level: 1 }).absorb(merged) }).toThrow(/absorbed/)
})

test('a discarded pack is gone, and no name is written twice', () => {
  using folder = new Folder()
  const path = folder.file()
  const writer = new PackWriter(path, repository.keys.packs, 'data', { level: 1 })
  expect(() => new PackWriter(path, repository.keys.packs, 'data', { level: 1 })).toThrow()
  writer.append(blobsOf(repository, [prose('x', 10)]))
  writer.discard()
  writer.discard()
  expect(existsSync(path)).toBe(false)
})

test('grouping keeps order and sizes', () => {
  fc.assert(fc.property(fc.array(fc.nat(200_000), { maxLength: 60 }), (sizes) => {
    const blobs = sizes.map((size): BlobBytes => ({ id: new Uint8Array(32), bytes: new Uint8Array(size) }))
    const groups = [...groupBlobs(blobs)]
    expect(groups.flat().filter(({ bytes }) => bytes.length <= sharedBlobBytes)).toEqual(blobs.filter(({ bytes }) => bytes.length <= sharedBlobBytes))
    expect(groups.flat()).toHaveLength(blobs.length)
    for (const shared of groups) {
      expect(shared.length).toBeGreaterThan(0)
      if (shared.length > 1) expect(shared.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(sharedSegmentBytes)
    }
  }))
})

test('however small blobs are, a segment has a bounded number of them', () => {
  const groups = [...groupBlobs(Array.from({ length: 2 * sharedSegmentBlobs + 1 }, (): BlobBytes => ({ id: new Uint8Array(32), bytes: new Uint8Array(1) })))]
  expect(groups.map((shared) => shared.length)).toEqual([sharedSegmentBlobs, sharedSegmentBlobs, 1])
})

describe('damage', () => {
  async function smallPack(): Promise<{ name: string; size: number; bytes: Uint8Array; contents: PackContents }> {
    using folder = new Folder()
    const sealed = writePack(folder, repository, [blobsOf(repository, [prose('a', 60), prose('b', 40)]), blobsOf(repository, [noise('c', 50)])])
    const name = await upload(repository, sealed)
    return { name, size: sealed.size, bytes: readFileSync(sealed.path), contents: sealed.contents }
  }

  /** Reads all of a pack as check does. */
  async function verify(name: string, kind: 'data' | 'tree', size: number, expected: PackContents): Promise<void> {
    checkPackHeader({ name, kind }, await repository.backend.get(packObject(name), { offset: 0, length: 4 }, never))
    const contents = await readPackContents(repository.backend, repository.keys, { name, size }, never)
    expect(contents).toEqual(expected)
    await readAll(repository, name, contents)
  }

  /** Every place in a pack, but for its padding and the like in its footer, of which every 89th. */
  function* places(size: number, { segments }: PackContents): Generator<number> {
    const padding = segments.at(-1)?.offset ?? 0
    for (let at = 0; at < size; at += at < padding + 100 || at > size - 200 ? 1 : 89) yield at
  }

  test('of any single byte is found', async () => {
    const { name, size, bytes, contents } = await smallPack()
    await verify(name, 'data', size, contents)
    for (const at of places(bytes.length, contents)) {
      const flipped = bytes.map((byte, index) => (index === at ? byte ^ 1 : byte))
      await repository.backend.put(packObject(name), { type: 'bytes', bytes: flipped }, {}, never)
      expect(['damaged', 'version'], `byte ${at}`).toContain(await codeOf(() => verify(name, 'data', size, contents)))
    }
  })

  test('by truncation or growth is found', async () => {
    const { name, bytes, contents } = await smallPack()
    for (const length of [...places(bytes.length, contents), ...[1, 2, 3, 56, 10_000].map((more) => bytes.length + more)]) {
      const changed = Buffer.concat([bytes.subarray(0, length), Buffer.alloc(Math.max(0, length - bytes.length))])
      await repository.backend.put(packObject(name), { type: 'bytes', bytes: changed }, {}, never)
      expect(await codeOf(() => verify(name, 'data', changed.length, contents)), `length ${length}`).toBe('damaged')
      if (length < bytes.length) expect(await codeOf(() => verify(name, 'data', bytes.length, contents)), `length ${length}`).toBe('damaged')
    }
  })

  /** A pack of no segments as one who has the keys could write it. */
  async function forged(plainFooter: Uint8Array, told: { readonly kind?: number; readonly length?: number; readonly more?: number } = {}): Promise<string | undefined> {
    const { packs } = repository.keys
    const footer = seal(packs, footerAdditionalData('data', 4), plainFooter)
    const size = 4 + footer.length + trailerBytes
    const plain = Buffer.alloc(8 + (told.more ?? 0))
    plain.writeUInt32LE(told.kind ?? 0)
    plain.writeUInt32LE(told.length ?? footer.length, 4)
    const trailer = seal(packs, trailerAdditionalData(size + (told.more ?? 0)), plain)
    const bytes = Buffer.concat([Buffer.from('48461001', 'hex'), footer, trailer])
    const name = 'fe'.repeat(16)
    await repository.backend.put(packObject(name), { type: 'bytes', bytes }, {}, never)
    return codeOf(() => readPackContents(repository.backend, repository.keys, { name, size: bytes.length }, never))
  }

  const table = encodeFooter({ kind: 'data', segments: [] })
  const footerOf = (tableLength: number, ...parts: readonly Uint8Array[]): Uint8Array => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(tableLength)
    return Buffer.concat([length, ...parts])
  }

  test.each<[string, Uint8Array, Parameters<typeof forged>[1]]>([
    ['of another kind than the trailer says', footerOf(table.length, table), { kind: 1 }],
    ['of an unknown kind', footerOf(table.length, table), { kind: 2 }],
    ['of no length', footerOf(table.length, table), { length: 0 }],
    ['longer than the pack', footerOf(table.length, table), { length: 5000 }],
    ['longer than any footer', footerOf(table.length, table), { length: 0xffff_ffff }],
    ['shorter than it is', footerOf(table.length, table), { length: 53 }],
    ['with a trailer too long', footerOf(table.length, table), { more: 1 }],
    ['filled up with something', footerOf(table.length, table, Buffer.from([0, 0, 1])), {}],
    ['with a table that ends too late', footerOf(table.length + 1, table, Buffer.of(0)), {}],
    ['with a table that ends too early', footerOf(table.length - 1, table), {}],
    ['with a table beyond its end', footerOf(0xffff_ffff, table), {}],
    ['with a table of another place', footerOf(45, encodeFooter({ kind: 'data', segments: [{ offset: 4, storedLength: 58, rawLength: 10, compression: 'none', blobs: [{ id: noise('id', 32), length: 10 }] }] })), {}],
    ['with the table of another kind', footerOf(table.length, encodeFooter({ kind: 'tree', segments: [] })), {}],
    ['that is empty', new Uint8Array(0), {}],
  ])('by someone who has the keys: a footer %s is found', async (_what, footer, told) => {
    expect(await forged(footerOf(table.length, table, new Uint8Array(50)))).toBeUndefined()
    expect(await forged(footer, told)).toBe('damaged')
  })

  test('a storage that lists a size no pack has is told, whatever the size', async () => {
    const { name, size } = await smallPack()
    for (const other of [0, 3, 59, 107, 2 ** 32, 2 ** 40, Number.MAX_SAFE_INTEGER]) {
      expect(await codeOf(() => readPackContents(repository.backend, repository.keys, { name, size: other }, never)), String(other)).toBe('damaged')
    }
    expect(await codeOf(() => readPackContents(repository.backend, repository.keys, { name, size: size - 1 }, never))).toBe('damaged')
  })

  test('by someone who has the keys does not take memory: a segment beyond the largest', async () => {
    const raw = Buffer.alloc(17 * 1024 * 1024)
    const additional = Buffer.from('4846100101010000' + '01000000' + '00001001', 'hex')
    const stored = seal(repository.keys.packs, additional, zstdCompressSync(raw))
    expect(await codeOf(() => openSegment(repository.keys.packs, 'data', { rawLength: raw.length, compression: 'zstd', blobCount: 1 }, stored, 'it'))).toBe('damaged')
  })

  test.each<[string, Uint8Array, number]>([
    ['a frame of more than is left', framesOf([[zstdCompressSync(Buffer.alloc(41)), true], [Buffer.alloc(60), false]]), 100],
    ['a frame of far more', framesOf([[zstdCompressSync(Buffer.alloc(3_000_000)), true], [Buffer.alloc(60), false]]), 1000],
    ['too little', framesOf([[zstdCompressSync(Buffer.alloc(39)), true], [Buffer.alloc(60), false]]), 100],
    ['a blob of more than is left', framesOf([[zstdCompressSync(Buffer.alloc(200)), true], [Buffer.alloc(60), false]]), 259],
    ['something behind its blobs', Buffer.concat([framesOf([[zstdCompressSync(Buffer.alloc(200)), true], [Buffer.alloc(10), false]]), Buffer.of(0)]), 210],
    ['a blob more', framesOf([[zstdCompressSync(Buffer.alloc(200)), true], [Buffer.alloc(10), false], [Buffer.alloc(10), false]]), 220],
    ['a frame that is none', framesOf([[Buffer.alloc(20), true], [Buffer.alloc(10), false]]), 60],
    ['a length beyond its end', Buffer.from([0xfe, 0xff, 0xff, 0x07, 0x02, 1, 2, 3]), 60],
    ['one length only', Buffer.from([0x02]), 60],
  ])('by someone who has the keys: a shared segment with %s is found', async (_what, plain, rawLength) => {
    const additional = Buffer.from('4846100101010000' + '0200000000000000', 'hex')
    additional.writeUInt32LE(rawLength, 12)
    const opened = (bytes: Uint8Array): Promise<unknown> => codeOf(() => openSegment(repository.keys.packs, 'data', { rawLength, compression: 'zstd', blobCount: 2 }, seal(repository.keys.packs, additional, bytes), 'it'))
    expect(await opened(plain)).toBe('damaged')
    expect(await opened(framesOf([[zstdCompressSync(Buffer.alloc(rawLength - 1)), true], [Buffer.alloc(1), false]]))).toBeUndefined()
  })

  test('by someone who has the keys: padding that holds something is found', async () => {
    const shape = { rawLength: 100, compression: 'none', blobCount: 0 } as const
    const additional = Buffer.from('4846100101000000' + '0000000064000000', 'hex')
    const opened = (fill: number): Promise<unknown> => codeOf(() => openSegment(repository.keys.packs, 'data', shape, seal(repository.keys.packs, additional, Buffer.alloc(100, fill)), 'it'))
    expect(await opened(0)).toBeUndefined()
    expect(await opened(1)).toBe('damaged')
  })

  test('a pack of another kind, segments in each other\'s place and a blob under another id are found', async () => {
    using folder = new Folder()
    const blobs = blobsOf(repository, [noise('1', 100), noise('2', 100)])
    const sealed = writePack(folder, repository, blobs.map((blob) => [blob]))
    const name = await upload(repository, sealed)
    const [first, second] = locationsOf(name, sealed.contents)
    const [one, two] = blobs
    if (!first || !second || !one || !two) throw new Error('no pack')
    const load = (location: typeof first, id: Uint8Array): Promise<unknown> => loadBlob(repository, { locate: () => location }, id, never)
    expect(await codeOf(() => load(first, one.id))).toBeUndefined()
    expect(await codeOf(() => load({ ...first, kind: 'tree' }, one.id))).toBe('damaged')
    expect(await codeOf(() => load(second, one.id))).toBe('damaged')
    expect(await codeOf(() => load(first, two.id))).toBe('damaged')
    expect(await codeOf(() => load({ ...first, blobCount: 2 }, one.id))).toBe('damaged')
    expect(await codeOf(() => load({ ...first, length: 99 }, one.id))).toBe('damaged')
    expect(await codeOf(() => load({ ...first, offsetInSegment: 1 }, one.id))).toBe('damaged')
    expect(await codeOf(() => load({ ...first, rawLength: 2 ** 31 }, one.id))).toBe('damaged')
    expect(await codeOf(() => load({ ...first, compression: 'zstd' }, one.id))).toBe('damaged')
    expect(await codeOf(() => load({ ...first, storedLength: 2 ** 20 }, one.id))).toBe('damaged')
    expect(await codeOf(() => load({ ...first, pack: 'ab'.repeat(16) }, one.id))).toBe('not-found')
    expect(await codeOf(() => loadBlob(repository, { locate: () => undefined }, one.id, never))).toBe('not-found')
  })

  test('ends the reading of segments where it is, after what came before', async () => {
    using folder = new Folder()
    const contents = Array.from({ length: 5 }, (_, index) => noise(String(index), 400_000))
    const sealed = writePack(folder, repository, blobsOf(repository, contents).map((blob) => [blob]))
    const bytes = readFileSync(sealed.path)
    bytes[1_300_000] = (bytes[1_300_000] ?? 0) ^ 1
    const name = await upload(repository, sealed)
    await repository.backend.put(packObject(name), { type: 'bytes', bytes }, {}, never)
    const read: number[] = []
    const reading = async (): Promise<void> => {
      for await (const { segment } of readSegments(repository, { name, kind: 'data' }, sealed.contents.segments, never, { parallel: 3 })) read.push(segment.offset)
    }
    expect(await codeOf(reading)).toBe('damaged')
    expect(read).toEqual(sealed.contents.segments.slice(0, 3).map(({ offset }) => offset))
  })
})

test('reading is cancelled', async () => {
  using folder = new Folder()
  const sealed = writePack(folder, repository, [blobsOf(repository, [noise('z', 1000)])])
  const name = await upload(repository, sealed)
  expect(await codeOf(() => collect(readSegments(repository, { name, kind: 'data' }, sealed.contents.segments, AbortSignal.abort())))).toBe('aborted')
})

test('a pack with more blobs than one request for the footer guesses is read whole', async () => {
  using folder = new Folder()
  const blobs = blobsOf(repository, Array.from({ length: 3000 }, (_, index) => noise(String(index), 20)))
  const sealed = writePack(folder, repository, [blobs])
  const name = await upload(repository, sealed)
  const contents = await readPackContents(repository.backend, repository.keys, { name, size: sealed.size }, never)
  expect(contents.segments[0]?.blobs).toHaveLength(3000)
  expect(compareBytes(contents.segments[0]?.blobs[2999]?.id ?? new Uint8Array(0), blobs[2999]?.id ?? new Uint8Array(1))).toBe(0)
})
