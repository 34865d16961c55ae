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
const unprintable = String.raw`[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]`
const unprintableByte = String.raw`[\p{Cc}\x80-\xff]`

/** The names that make up a path inside a snapshot, exact bytes with `/` between them; empty for its root. */
export function namesOf(path: Uint8Array): readonly ByteString[] {
  return fromBytes(path).split('/').filter((part) => part !== '' && part !== '.')
}

/** A backslash is doubled only where it would be read as the beginning of an escape. */
const escapedText = new RegExp(String.raw`\\(?=[\\xu]|${unprintable})|${unprintable}`, 'gu')
const escapedBytes = new RegExp(String.raw`\\(?=[\\xu]|${unprintableByte})|${unprintableByte}`, 'gu')

/**
 * For people: as `toText`, with control characters and bytes that are not UTF-8 escaped: `\xNN` is a byte, `\uNNNN` a character beyond
 * ASCII, `\\` a backslash that would look like one of these. `fromShown` takes it back to the same bytes.
 */
export function toShown(text: ByteString): string {
  const bytes = Buffer.from(text, 'latin1')
  if (!isUtf8(bytes)) return text.replace(escapedBytes, (byte) => (byte === '\\' ? '\\\\' : hex('x', byte, 2)))
  return bytes.toString('utf8').replace(escapedText, (character) => {
    if (character === '\\') return '\\\\'
    return character < '\x80' ? hex('x', character, 2) : hex('u', character, 4)
  })
}

/** The exact bytes of a name or path as `toShown` gives it, or as a person types it: what is no escape stands for itself. */
export function fromShown(shown: string): ByteString {
  let bytes = ''
  let end = 0
  for (const match of shown.matchAll(/\\(?:\\|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4}))/g)) {
    const [whole, byte, character] = match
    bytes += fromText(shown.slice(end, match.index))
    if (byte !== undefined) bytes += String.fromCharCode(Number.parseInt(byte, 16))
    else bytes += character === undefined ? '\\' : fromText(String.fromCharCode(Number.parseInt(character, 16)))
    end = match.index + whole.length
  }
  return bytes + fromText(shown.slice(end))
}

function hex(letter: 'x' | 'u', character: string, digits: number): string {
  return `\\${letter}${character.charCodeAt(0).toString(16).padStart(digits, '0')}`
}
