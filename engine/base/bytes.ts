import { HoldfastError } from './errors.ts'

/** A Buffer over the same memory, for Node's native comparisons and encodings. */
export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}

/** Lower-case hex. */
export function toHex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex')
}

/** @throws damaged when the text is not whole bytes of lower-case hex. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new HoldfastError('damaged', 'This is not hexadecimal.')
  return Buffer.from(text, 'hex')
}

export function utf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** A copy with memory of its own; `slice` of a Buffer is but another view, which keeps all of it alive. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false
  if (a.length > 64) return Buffer.compare(a, b) === 0
  for (let index = 0; index < a.length; index++) if (a[index] !== b[index]) return false
  return true
}

/** Order by unsigned bytes, a prefix first: negative, 0 or positive. */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length)
  for (let index = 0; index < length; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Appends numbers and bytes to a buffer that grows. All fixed-width numbers are little-endian. */
export class ByteWriter {
  readonly #headroom: number
  #bytes: Uint8Array
  #view: DataView
  #length: number

  /** @param headroom bytes left free before the first one (what `BlobHasher.id` wants). */
  constructor(capacity = 1024, headroom = 0) {
    this.#headroom = headroom
    this.#bytes = new Uint8Array(headroom + Math.max(capacity, 16))
    this.#view = new DataView(this.#bytes.buffer)
    this.#length = headroom
  }

  get length(): number {
    return this.#length - this.#headroom
  }

  u8(value: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = value
  }

  u16(value: number): void {
    this.#reserve(2)
    this.#view.setUint16(this.#length, value, true)
    this.#length += 2
  }

  u32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.#length, value, true)
    this.#length += 4
  }

  i64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigInt64(this.#length, value, true)
    this.#length += 8
  }

  u64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigUint64(this.#length, value, true)
    this.#length += 8
  }

  /** LEB128 of a safe non-negative integer, 1–8 bytes. */
  varint(value: number): void {
    this.#reserve(8)
    let rest = value
    while (rest >= 0x80) {
      this.#bytes[this.#length++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#bytes[this.#length++] = rest
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    if (bytes.length > 32) this.#bytes.set(bytes, this.#length)
    else for (let index = 0; index < bytes.length; index++) this.#bytes[this.#length + index] = bytes[index] ?? 0
    this.#length += bytes.length
  }

  /** What was written so far; a view that the next write may leave behind. */
  written(): Uint8Array {
    return this.#bytes.subarray(this.#headroom, this.#length)
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + count))
    grown.set(this.#bytes.subarray(0, this.#length))
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

/** Takes numbers and bytes from a buffer that nobody vouches for: whatever does not fit throws `damaged`. */
export class ByteReader {
  readonly #bytes: Uint8Array
  readonly #view: DataView
  readonly #what: string
  #offset: number

  /** @param what names the thing in errors, e.g. `The tree`. */
  constructor(bytes: Uint8Array, what: string, offset = 0) {
    this.#bytes = bytes
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#what = what
    this.#offset = offset
  }

  get offset(): number {
    return this.#offset
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset
  }

  u8(): number {
    this.#need(1)
    return this.#bytes[this.#offset++] ?? 0
  }

  u16(): number {
    this.#need(2)
    this.#offset += 2
    return this.#view.getUint16(this.#offset - 2, true)
  }

  u32(): number {
    this.#need(4)
    this.#offset += 4
    return this.#view.getUint32(this.#offset - 4, true)
  }

  i64(): bigint {
    this.#need(8)
    this.#offset += 8
    return this.#view.getBigInt64(this.#offset - 8, true)
  }

  u64(): bigint {
    this.#need(8)
    this.#offset += 8
    return this.#view.getBigUint64(this.#offset - 8, true)
  }

  /** Only the shortest form is accepted, so that every value has one encoding. */
  varint(limit: number = Number.MAX_SAFE_INTEGER): number {
    let value = 0
    let factor = 1
    for (let count = 0; count < 8; count++) {
      const byte = this.u8()
      value += (byte & 0x7f) * factor
      if (byte < 0x80) {
        if (byte === 0 && count > 0) this.fail('holds a number in a longer form than it needs')
        if (value > limit) this.fail('holds a number beyond its limit')
        return value
      }
      factor *= 0x80
    }
    return this.fail('holds a number that does not end')
  }

  /** A view, not a copy. */
  bytes(count: number): Uint8Array {
    this.#need(count)
    this.#offset += count
    return this.#bytes.subarray(this.#offset - count, this.#offset)
  }

  /** Passes over `count` bytes. */
  skip(count: number): void {
    this.#need(count)
    this.#offset += count
  }

  /** Nothing may follow. */
  end(): void {
    if (this.remaining !== 0) this.fail(`has ${this.remaining} bytes too many`)
  }

  fail(why: string): never {
    throw new HoldfastError('damaged', `${this.#what} ${why}.`)
  }

  #need(count: number): void {
    if (count > this.#bytes.length - this.#offset) this.fail('ends too early')
  }
}
