/** What the beginning of a file looks like. */
export const look = {
  /** Like a file of some kind, or too short to tell. */
  plain: 0,
  /** Like random bytes: encrypted, or compressed in a way without a mark of its own. */
  random: 1,
  /** One byte over and over. */
  blank: 2,
} as const

/** How many bytes are looked at: about 4 µs. */
const sampleBytes = 4096
/** A shorter file says too little. */
const leastBytes = 256

/** How compressed files, pictures, sound and films begin: they look random behind that, and are nothing to wonder at. */
const marks: readonly (readonly [at: number, mark: string])[] = [
  [0, '\xff\xd8\xff'], [0, '\x89PNG'], [0, 'GIF8'], [0, 'RIFF'], [0, '%PDF'], [0, 'PK'], [0, '\x1f\x8b'], [0, '\x1f\x9d'], [0, 'BZh'], [0, '\xfd7zXZ'],
  [0, '\x28\xb5\x2f\xfd'], [0, '\x04\x22\x4d\x18'], [0, '7z\xbc\xaf'], [0, 'Rar!'], [0, 'MSCF'], [0, 'LZIP'], [0, 'xar!'], [0, '\x78\x01'], [0, '\x78\x5e'], [0, '\x78\x9c'],
  [0, '\x78\xda'], [4, 'ftyp'], [4, 'moov'], [4, 'mdat'], [4, 'wide'], [0, 'II'], [0, 'MM'], [0, 'FUJIFILM'], [0, 'ID3'], [0, '\xff\xfb'], [0, '\xff\xf3'], [0, '\xff\xf2'],
  [0, '\xff\xf1'], [0, '\xff\xf9'], [0, 'OggS'], [0, 'fLaC'], [0, '\x1a\x45\xdf\xa3'], [0, 'FLV'], [0, '\x30\x26\xb2\x75'], [0, 'wOF'], [0, '\xff\x0a'],
  [0, '\x03\xd9\xa2\x9a'], [0, 'BORG_SEG'], [0, 'HF'], [0, 'PACK'], [0, '%!'], [0, 'LUKS'],
]

/**
 * Looks at the beginning of a file in memory, `from` to `to`. Random are bytes of which any two are equal as seldom as if they were drawn by lot, and that
 * begin with the mark of no known kind of file. @returns one of `look`
 */
export function lookAt(memory: Uint8Array, from: number, to: number): number {
  const length = Math.min(sampleBytes, to - from)
  if (length < leastBytes) return look.plain
  const counts = new Uint16Array(256)
  for (let at = from; at < from + length; at++) {
    const byte = memory[at] ?? 0
    counts[byte] = (counts[byte] ?? 0) + 1
  }
  if (counts[memory[from] ?? 0] === length) return look.blank
  let pairs = 0
  for (const count of counts) pairs += count * (count - 1)
  const againstRandom = (256 * pairs) / (length * (length - 1))
  // What bytes by lot give is 1 ± 22.6 / length.
  return againstRandom < 1.015 + 100 / length && !hasMark(memory, from) ? look.random : look.plain
}

function hasMark(memory: Uint8Array, from: number): boolean {
  return marks.some(([at, mark]) => {
    for (let index = 0; index < mark.length; index++) if (memory[from + at + index] !== mark.charCodeAt(index)) return false
    return true
  })
}
