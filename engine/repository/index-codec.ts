import { ByteReader, ByteWriter, fromHex, toHex } from '../base/bytes.ts'
import { decodeFooter, encodeFooter } from './footer.ts'
import type { EncodedPackInfo, PackInfo } from './pack-info.ts'

/** Plain bytes of one index object at most, but for a single pack whose own table is larger. */
export const indexBytes = 8 * 1024 * 1024

const nameBytes = 16
const maxPackSize = 2 ** 40

/** Plaintexts of as many index objects as the packs fill, one at a time: memory stays at one. Seal them as kind `index`; each is the caller's. */
export function* encodeIndex(packs: Iterable<PackInfo | EncodedPackInfo>): Generator<Uint8Array> {
  let writer = new ByteWriter(65_536)
  for (const pack of packs) {
    const contents = 'footer' in pack ? pack.footer : encodeFooter(pack.contents)
    if (writer.length > 0 && writer.length + contents.length + nameBytes + 16 > indexBytes) {
      yield writer.written()
      writer = new ByteWriter(indexBytes)
    }
    writer.bytes(fromHex(pack.name))
    writer.varint(pack.size)
    writer.varint(contents.length)
    writer.bytes(contents)
  }
  if (writer.length > 0) yield writer.written()
}

/** The packs of one index object, decoded one at a time; ids are views of `plain`. @throws damaged, maybe after some packs were given */
export function* decodeIndex(plain: Uint8Array, what = 'An index'): Generator<PackInfo> {
  const reader = new ByteReader(plain, what)
  while (reader.remaining > 0) {
    const name = toHex(reader.bytes(nameBytes))
    const size = reader.varint(maxPackSize)
    const contents = decodeFooter(reader.bytes(reader.varint(reader.remaining)), what)
    yield { name, size, contents }
  }
}
