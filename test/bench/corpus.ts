import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { SeededRandom } from './random.ts'

export type CorpusName = 'A' | 'B' | 'C'

/** What each corpus stands for; `scale` 1 is the size that is said here. */
export const corpora: Readonly<Record<CorpusName, string>> = {
  A: 'a home folder: 60 % text, 30 % incompressible, 10 % edited duplicates; 3,800 files, 1 GiB',
  B: 'many small files: 50,000 in 2,800 folders, 200 MB',
  C: 'one file of 1 GiB, half text half incompressible',
}

/** Writes a corpus into an empty folder; the same name, scale and seed give the same bytes. */
export function makeCorpus(name: CorpusName, folder: string, scale: number, seed = 1): void {
  mkdirSync(folder, { recursive: true })
  const random = new SeededRandom(seed)
  if (name === 'A') makeHome(folder, Math.round(3800 * scale), random)
  else if (name === 'B') makeSmallFiles(folder, Math.round(50_000 * scale), random)
  else makeBigFile(join(folder, 'image.raw'), Math.round(1024 * scale), random)
}

/** Edits one file in a hundred: some bytes in the middle, and a line at the end. The same seed edits the same files. */
export function changeOnePercent(folder: string, seed: number): void {
  const random = new SeededRandom(seed)
  const files = filesBelow(folder)
  for (let count = Math.max(1, Math.round(files.length / 100)); count > 0; count--) edit(random.pick(files), random)
}

/** Inserts 1 KB in the middle of the one file of corpus C. */
export function insertInTheMiddle(folder: string, seed: number): void {
  const file = join(folder, 'image.raw')
  const bytes = readFileSync(file)
  const middle = bytes.length >>> 1
  const descriptor = openSync(file, 'w')
  for (const part of [bytes.subarray(0, middle), new SeededRandom(seed).bytes(1024), bytes.subarray(middle)]) writeAll(descriptor, part)
  closeSync(descriptor)
}

function makeHome(folder: string, count: number, random: SeededRandom): void {
  const text = textSource(random)
  const recent: Buffer[] = []
  for (let at = 0; at < count; at++) {
    const kind = at % 10
    const size = sizeOf(random, 1 << 10, 285_000)
    const bytes = kind === 9 && recent.length > 0 ? edited(random.pick(recent), random) : kind < 6 ? text(size) : random.bytes(size)
    if (recent.length < 50) recent.push(bytes)
    const directory = join(folder, `area-${at % 12}`, `topic-${at % 61}`)
    mkdirSync(directory, { recursive: true })
    writeFileSync(join(directory, `file-${at}.${kind < 6 ? 'txt' : 'bin'}`), bytes)
  }
}

function makeSmallFiles(folder: string, count: number, random: SeededRandom): void {
  const text = textSource(random)
  let directory = folder
  for (let at = 0; at < count; at++) {
    if (at % 18 === 0) {
      directory = at % 360 === 0 ? join(folder, `tree-${at / 360}`) : join(directory, `level-${(at / 18) % 20}`)
      mkdirSync(directory, { recursive: true })
    }
    const size = sizeOf(random, 128, 4000)
    writeFileSync(join(directory, `note-${at}.txt`), at % 10 < 7 ? text(size) : random.bytes(size))
  }
}

function makeBigFile(file: string, mebibytes: number, random: SeededRandom): void {
  const text = textSource(random)
  const descriptor = openSync(file, 'w')
  for (let at = 0; at < mebibytes; at++) writeAll(descriptor, at % 16 < 8 ? text(1 << 20) : random.bytes(1 << 20))
  closeSync(descriptor)
}

/** Sizes with a long tail around `mean`: most files are small, most bytes are in large ones. */
function sizeOf(random: SeededRandom, least: number, mean: number): number {
  const uniform = (random.next() + 1) / 0x1_0000_0001
  const exponential = -Math.log(uniform)
  return least + Math.floor((exponential ** 3 * mean) / 6)
}

/** Word soup that zstd-3 compresses about 2.7 times: words of a skewed vocabulary, numbers and line breaks. */
function textSource(random: SeededRandom): (length: number) => Buffer {
  const words = Array.from({ length: 6000 }, () => word(random))
  return (length) => {
    const parts: string[] = []
    let size = 0
    while (size < length) {
      const skewed = Math.floor(words.length * (random.next() / 0x1_0000_0000) ** 2)
      const next = random.below(12) === 0 ? `${random.below(1_000_000)}\n` : `${words[skewed] ?? ''} `
      parts.push(next)
      size += next.length
    }
    return Buffer.from(parts.join('').slice(0, length), 'latin1')
  }
}

function word(random: SeededRandom): string {
  return Array.from({ length: 2 + random.below(9) }, () => String.fromCharCode(97 + random.below(26))).join('')
}

function edited(original: Buffer, random: SeededRandom): Buffer {
  const copy = Buffer.from(original)
  random.bytes(64).copy(copy, random.below(Math.max(1, copy.length - 64)))
  return copy
}

function edit(file: string, random: SeededRandom): void {
  const bytes = edited(readFileSync(file), random)
  writeFileSync(file, Buffer.concat([bytes, Buffer.from(`edited ${random.next()}\n`)]))
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
    .map((name) => join(folder, name)).filter((path) => statSync(path).isFile())
}

function writeAll(descriptor: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length;) at += writeSync(descriptor, bytes, at)
}
