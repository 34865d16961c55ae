import { isUtf8 } from 'node:buffer'

/**
 * File names are exact bytes. Inside the engine's walk they are kept as latin1 strings, one code unit a byte: they compare
 * in byte order, join with `+`, and cost half of what a Buffer costs.
 */
export type ByteString = string

/** No byte above 0x7f. */
const ascii = /^[^\x80-\xff]*$/

/** What node:fs takes: the string itself where its UTF-8 form has the same bytes. */
export function toFilePath(path: ByteString): string | Buffer {
  return ascii.test(path) ? path : Buffer.from(path, 'latin1')
}

export function fromBytes(bytes: Uint8Array): ByteString {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

export function toBytes(text: ByteString): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/** The text that people and exclude patterns see: UTF-8 where it is, else each byte as its latin1 character. */
export function toText(text: ByteString): string {
  if (ascii.test(text)) return text
  const bytes = Buffer.from(text, 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : text
}

export function fromText(text: string): ByteString {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Control characters and what turns the direction of text; classes, since no such character stands in a source. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu
const unprintableByte = /[\p{Cc}\x80-\xff]/gu

/** For people: as `toText`, with control characters and bytes that are not UTF-8 escaped as `\xNN`. */
export function toShown(text: ByteString): string {
  const bytes = Buffer.from(text, 'latin1')
  const readable = isUtf8(bytes) ? bytes.toString('utf8') : escape(text, unprintableByte)
  return escape(readable, unprintable)
}

function escape(text: string, what: RegExp): string {
  return text.replace(what, (character) => {
    const code = character.charCodeAt(0)
    return code < 256 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`
  })
}
