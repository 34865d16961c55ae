import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdCompressSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { NativeMemory } from '../../../engine/base/memory.ts'
import { spillGroups } from '../../../engine/pipeline/blob-sink.ts'
import { Sealer } from '../../../engine/pipeline/sealer.ts'
import { createSlabs } from '../../../engine/repository/chunker/slabs.ts'
import { standardChunker } from '../../../engine/repository/config.ts'
import { sealOverhead, type Random } from '../../../engine/repository/crypto.ts'
import { deriveKeys } from '../../../engine/repository/keys.ts'
import type { SealedPack } from '../../../engine/repository/pack-info.ts'
import { groupBlobs } from '../../../engine/repository/pack-writer.ts'
import { packPadding, paddedLength } from '../../../engine/repository/padding.ts'
import { noise, prose } from '../repository/support.ts'

/** What a storage can tell from the sizes of packs, and from nothing else: each oracle is asked about this layout, and about the one before it. */
type Layout = (blobs: readonly Uint8Array[], seed: string, packBytes?: number, level?: number) => readonly number[]

const folder = mkdtempSync(join(tmpdir(), 'holdfast-oracles-'))
const keys = deriveKeys(noise('master', 32))
const slabs = createSlabs(1, 64)
const native = new NativeMemory(64 * 2 ** 20)
afterAll(() => { rmSync(folder, { recursive: true }) })

const mebibyte = 2 ** 20

/** The sizes of packs in which a run of one thread stores these blobs, in the order in which they are sent. */
const today: Layout = (blobs, seed, packBytes = 16 * mebibyte, level = 2) => {
  const sealer = new Sealer({ slabs, keys, chunker: standardChunker, compressionLevel: level, spoolFolder: folder, garbageBytes: mebibyte }, native, seeded(seed))
  const ids = Buffer.concat(blobs.map((_, at) => noise(`id ${at}`, 32)))
  const full = sealer.trees({ bytes: Buffer.concat(blobs), ids, lengths: Uint32Array.from(blobs, ({ length }) => length) }, packBytes)
  const open = spillGroups(sealer.finish(), packBytes).flatMap((group) => (group.length > 1 ? sealer.merge(group, 'tree') : group))
  return [...full, ...open].map(sizeOnce)
}

function sizeOnce({ path, size }: SealedPack): number {
  rmSync(path)
  return size
}

/** As packs were until padding came: filled one after the other, small blobs in one frame, a footer that fits, its length in four bytes. */
const before: Layout = (blobs, _seed, packBytes = 16 * mebibyte, level = 2) => {
  const sizes: number[] = []
  let [body, table] = [4, 2]
  const end = (): void => {
    sizes.push(body + table + sealOverhead + 4)
    body = 4
    table = 2
  }
  for (const group of groupBlobs(blobs.map((bytes) => ({ id: new Uint8Array(32), bytes })))) {
    const raw = Buffer.concat(group.map(({ bytes }) => bytes))
    body += sealOverhead + (level > 0 ? Math.min(raw.length, zstdCompressSync(raw).length) : raw.length)
    table += 8 + group.length * (group.length > 1 ? 34 : 32)
    if (body >= packBytes) end()
  }
  if (body > 4) end()
  return sizes
}

function seeded(seed: string): Random {
  let count = 0
  return (length) => noise(`${seed} ${count++}`, length)
}

interface Observation {
  readonly value: number
  readonly guilty: boolean
}

/**
 * How much better than a coin somebody judges who has learned from the first half of the observations, on the second half: 0 not at all, 1 always right. The better of two
 * judges: one draws a line between large and small, one knows how often he saw each value.
 */
function advantage(observations: readonly Observation[]): number {
  const [known, asked] = [observations.filter((_, at) => at % 4 < 2), observations.filter((_, at) => at % 4 >= 2)]
  const share = (judge: (value: number) => number): number => {
    const right = asked.reduce((sum, { value, guilty }) => sum + (guilty ? judge(value) : 1 - judge(value)), 0)
    return Math.abs(2 * right / asked.length - 1)
  }
  const bests = known.map(({ value: line }) => ({ line, right: known.filter(({ value, guilty }) => (value <= line) === guilty).length }))
  const best = bests.reduce((a, b) => (Math.abs(b.right - known.length / 2) > Math.abs(a.right - known.length / 2) ? b : a))
  const seen = new Map<number, number>()
  for (const { value, guilty } of known) seen.set(value, (seen.get(value) ?? 0) + (guilty ? 1 : -1))
  return Math.max(share((value) => (value <= best.line ? 1 : 0)), share((value) => (Math.sign(seen.get(value) ?? 0) + 1) / 2))
}

/** Pairs of observations, one of each kind. */
function observe(trials: number, look: (trial: number, guilty: boolean) => number): Observation[] {
  return Array.from({ length: trials }, (_, trial) => [true, false].map((guilty) => ({ guilty, value: look(trial, guilty) }))).flat()
}

const sum = (sizes: readonly number[]): number => sizes.reduce((total, size) => total + size, 0)

/** With this many trials a judge who knows nothing comes to more once in some thousand times; seeds make it the same every time. */
const trials = 600
const nothing = 0.12

describe('guesses planted beside a secret', () => {
  const letter = (code: string): Buffer => Buffer.from(`From: bank@example.org\nSubject: your code\n\nDear customer, your code is ${code}. Do not tell it to anybody.\n`)
  const codeOf = (trial: number): string => noise(`code ${trial}`, 12).toString('hex')
  const planted = (code: string): Buffer => Buffer.from(`An invitation. By the way: Dear customer, your code is ${code}. Do not tell`)
  const wrong = (trial: number): string => codeOf(trial + 1_000_000)
  const half = (trial: number): string => codeOf(trial).slice(0, 12) + wrong(trial).slice(12)

  /** Two guesses of one secret, of which the attacker knows the length that each has by itself. */
  function look(layout: Layout, guess: (trial: number) => string): Observation[] {
    return observe(trials, (trial, right) => {
      const mail = planted(right ? guess(trial) : wrong(trial))
      const own = zstdCompressSync(mail).length
      return sum(layout([letter(codeOf(trial)), mail], `${trial} ${right}`)) - own
    })
  }

  test.each([['right', codeOf], ['half right', half]] as const)('%s ones are told from wrong ones by the old layout, not by this', (_how, guess) => {
    expect(advantage(look(before, guess))).toBeGreaterThan(0.8)
    expect(advantage(look(today, guess))).toBeLessThan(nothing)
  })

  test('do not change what the secret takes: nothing is compressed together with it', () => {
    const stored = (blobs: readonly Uint8Array[]): number => {
      const sealer = new Sealer({ slabs, keys, chunker: standardChunker, compressionLevel: 2, spoolFolder: folder, garbageBytes: mebibyte }, native)
      sealer.trees({ bytes: Buffer.concat(blobs), ids: Buffer.concat(blobs.map((_, at) => noise(`id ${at}`, 32))), lengths: Uint32Array.from(blobs, ({ length }) => length) }, mebibyte)
      const [pack] = sealer.finish()
      if (pack) sizeOnce(pack)
      return pack?.contents.segments[0]?.storedLength ?? 0
    }
    for (let trial = 0; trial < 50; trial++) {
      const filler = prose('filler', 500)
      const [secret, mail] = [letter(codeOf(trial)), planted(codeOf(trial))]
      const together = stored([filler, secret, mail]) - stored([filler, mail])
      expect(together).toBe(stored([filler, secret, filler]) - stored([filler, filler]))
    }
  })
})

describe('a run of little', () => {
  test('does not tell the size of its only file', () => {
    const look = (layout: Layout): Observation[] => observe(trials, (trial, large) => sum(layout([noise(`${trial}`, large ? 8000 : 900)], `${trial} ${large}`)))
    expect(advantage(look(before))).toBe(1)
    expect(advantage(look(today))).toBeLessThan(nothing)
  })

  test('does not tell whether it is one file or many', () => {
    const look = (layout: Layout): Observation[] => observe(trials, (trial, many) => {
      const bytes = noise(`${trial}`, 4000)
      return sum(layout(many ? Array.from({ length: 100 }, (_, at) => bytes.subarray(at * 40, at * 40 + 40)) : [bytes], `${trial} ${many}`))
    })
    expect(advantage(look(before))).toBe(1)
    expect(advantage(look(today))).toBeLessThan(nothing)
  })
})

describe('known files', () => {
  test('of a megabyte are not told from others that differ by a thousandth', () => {
    const look = (layout: Layout): Observation[] => observe(trials / 6, (trial, known) => {
      const length = known ? 1_000_000 : 999_000 + noise(`length ${trial}`, 2).readUInt16LE() % 2000
      return sum(layout([noise(`${trial}`, length)], `${trial} ${known}`, 16 * mebibyte, 0))
    })
    const distance = (observations: readonly Observation[], size: number): Observation[] => observations.map(({ value, guilty }) => ({ guilty, value: Math.abs(value - size) }))
    expect(advantage(distance(look(before), sum(before([noise('0', 1_000_000)], '', 16 * mebibyte, 0))))).toBeGreaterThan(0.9)
    expect(advantage(look(today))).toBeLessThan(3 * nothing)
  })

  /** Chunks of a large file that does not compress, as the secret table cuts it; the attacker has learned the lengths. */
  const chunksOf = (seed: string, count: number): Uint8Array[] => Array.from({ length: count }, (_, at) => noise(`${seed} ${at}`, 70_000 + noise(`length ${seed} ${at}`, 2).readUInt16LE()))
  const knownChunks = chunksOf('known', 30)

  /** The least difference between any pack and what any stretch of the known file would come to, if it filled a pack. */
  function closest(sizes: readonly number[], lengths: readonly number[]): number {
    let least = Infinity
    for (let from = 0; from < lengths.length; from++) {
      let stretch = 4 + 2 + sealOverhead + 4
      for (const length of lengths.slice(from)) {
        stretch += length + sealOverhead + 40
        for (const size of sizes) least = Math.min(least, Math.abs(size - stretch))
      }
    }
    return least
  }

  const packBytes = 600_000
  const lookBy = (statistic: typeof closest) => (layout: Layout): Observation[] => observe(60, (trial, known) => {
    const background = chunksOf(`background ${trial}`, 6)
    const file = known ? knownChunks : chunksOf(`other ${trial}`, knownChunks.length)
    return statistic(layout([...background, ...file], `${trial} ${known}`, packBytes, 0), knownChunks.map(({ length }) => length))
  })

  test('are not found by the lengths of their chunks in packs that others share', { timeout: 60_000 }, () => {
    const look = lookBy(closest)
    expect(advantage(look(before))).toBeGreaterThan(0.9)
    expect(advantage(look(today))).toBeLessThan(0.35)
  })

  /** How far, in its share, the sizes of packs one after the other are from what the known file would fill, begun anywhere in it. */
  function following(sizes: readonly number[], lengths: readonly number[]): number {
    let least = Infinity
    for (let first = 0; first + packsInARow <= sizes.length; first++) {
      for (let from = 0; from < lengths.length; from++) {
        let [at, away] = [from, 0]
        for (const size of sizes.slice(first, first + packsInARow)) {
          let stretch = 0
          while (stretch < packBytes && at < lengths.length) stretch += (lengths[at++] ?? 0) + sealOverhead
          away += Math.abs(Math.log(size / (stretch * meanGrowth)))
        }
        least = Math.min(least, away)
      }
    }
    return least
  }

  const packsInARow = 3
  /** Padding of packs of this size, on average. */
  const meanGrowth = 1.02

  test('are found in packs that are padded but filled one after the other, and not when chance fills two', { timeout: 60_000 }, () => {
    const look = lookBy(following)
    const inOrder: Layout = (blobs, seed, ...more) => before(blobs, seed, ...more).map((size, at) => paddedLength(size, packPadding, seeded(`${seed} ${at}`)))
    expect(advantage(look(inOrder))).toBeGreaterThan(0.6)
    expect(advantage(look(today))).toBeLessThan(0.35)
  })
})
