import { readPart, type Part } from '../http/parts.ts'

const widthBits = 160
const shiftBits = 11
const wordBytes = 4

/**
 * QuickXorHash, the one checksum that OneDrive gives everywhere: byte i is XORed into a ring of 160 bits, 11·i bits from its beginning, and
 * the length (64 bits, little-endian) into the last eight bytes. https://learn.microsoft.com/onedrive/developer/code-snippets/quickxorhash
 */
export class QuickXorHash {
  /** Bytes whose numbers leave the same rest by 160 come to lie in the same place: they are XORed first, four at a time. */
  readonly #words = new Uint32Array(widthBits / wordBytes)
  readonly #places = new Uint8Array(this.#words.buffer)
  #length = 0

  update(bytes: Uint8Array): void {
    const first = Math.min(bytes.length, (wordBytes - (this.#length % wordBytes)) % wordBytes)
    const isAligned = (bytes.byteOffset + first) % wordBytes === 0
    const wordsEnd = isAligned ? bytes.length - ((bytes.length - first) % wordBytes) : first
    this.#bytes(bytes.subarray(0, first))
    this.#wholeWords(new Uint32Array(bytes.buffer, isAligned ? bytes.byteOffset + first : 0, (wordsEnd - first) / wordBytes))
    this.#bytes(bytes.subarray(wordsEnd))
  }

  #bytes(bytes: Uint8Array): void {
    let place = this.#length % widthBits
    for (const byte of bytes) {
      this.#places[place] = (this.#places[place] ?? 0) ^ byte
      if (++place === widthBits) place = 0
    }
    this.#length += bytes.length
  }

  #wholeWords(whole: Uint32Array): void {
    const words = this.#words
    let place = (this.#length % widthBits) / wordBytes
    for (let at = 0; at < whole.length; at++) {
      words[place] = (words[place] ?? 0) ^ (whole[at] ?? 0)
      if (++place === words.length) place = 0
    }
    this.#length += whole.length * wordBytes
  }

  /** Base64, as OneDrive tells it. */
  digest(): string {
    const ring = Buffer.alloc(widthBits / 8)
    for (const [number, byte] of this.#places.entries()) {
      const bit = (number * shiftBits) % widthBits
      const at = bit >> 3
      const next = (at + 1) % ring.length
      const shifted = byte << (bit & 7)
      ring[at] = (ring[at] ?? 0) ^ (shifted & 0xff)
      ring[next] = (ring[next] ?? 0) ^ (shifted >> 8)
    }
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(this.#length))
    for (const [at, byte] of length.entries()) ring[ring.length - 8 + at] = (ring[ring.length - 8 + at] ?? 0) ^ byte
    return ring.toString('base64')
  }
}

export async function quickXorOf(part: Part, signal: AbortSignal): Promise<string> {
  const hash = new QuickXorHash()
  await readPart(part, (bytes) => { hash.update(bytes) }, signal)
  return hash.digest()
}
