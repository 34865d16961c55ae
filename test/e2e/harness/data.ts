import { createHash } from 'node:crypto'
import { closeSync, openSync, writeSync } from 'node:fs'

const blockBytes = 1 << 20

/** A file that neither compresses nor repeats. The same name, size and seed give the same bytes. */
export function randomFile(path: string, size: number, seed = path): void {
  const file = openSync(path, 'w')
  for (let at = 0; at < size; at += blockBytes) {
    const block = createHash('shake256', { outputLength: Math.min(blockBytes, size - at) }).update(`${seed} ${at}`).digest()
    writeSync(file, block)
  }
  closeSync(file)
}
