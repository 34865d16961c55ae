/** A set of pack numbers, one bit each: 80 KB for the 640,000 packs of 10 TB. */
export class PackSet {
  #bits = new Uint8Array(1024)
  #size = 0

  get size(): number {
    return this.#size
  }

  has(number: number): boolean {
    return ((this.#bits[number >>> 3] ?? 0) & (1 << (number & 7))) !== 0
  }

  add(number: number): void {
    if (this.has(number)) return
    this.#reserve(number)
    this.#bits[number >>> 3] = (this.#bits[number >>> 3] ?? 0) | (1 << (number & 7))
    this.#size++
  }

  clear(): void {
    this.#bits.fill(0)
    this.#size = 0
  }

  *[Symbol.iterator](): Generator<number> {
    for (let byte = 0; byte < this.#bits.length; byte++) {
      if (this.#bits[byte] === 0) continue
      for (let bit = 0; bit < 8; bit++) if (this.has(byte * 8 + bit)) yield byte * 8 + bit
    }
  }

  /** Little-endian 32-bit numbers. */
  toBytes(): Uint8Array {
    const numbers = Uint32Array.from(this)
    return new Uint8Array(numbers.buffer)
  }

  static fromBytes(bytes: Uint8Array): PackSet {
    const set = new PackSet()
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    for (let at = 0; at + 4 <= bytes.length; at += 4) set.add(view.getUint32(at, true))
    return set
  }

  #reserve(number: number): void {
    const needed = (number >>> 3) + 1
    if (needed <= this.#bits.length) return
    const grown = new Uint8Array(Math.max(needed, this.#bits.length * 2))
    grown.set(this.#bits)
    this.#bits = grown
  }
}
