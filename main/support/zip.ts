import { open, type FileHandle } from 'node:fs/promises'
import { Zip, ZipDeflate } from 'fflate'

export interface ZipEntry {
  readonly name: string
  /** Of a file that is there. */
  readonly path: string
}

const chunkBytes = 256 << 10

/** Writes a zip archive of these files to an open file. Holds a chunk at a time, whatever their size. */
export async function writeZip(target: Pick<FileHandle, 'write'>, entries: readonly ZipEntry[], nowMs: number): Promise<void> {
  let waiting: Uint8Array[] = []
  const failed: Error[] = []
  const zip = new Zip((error, data) => {
    if (error) failed.push(error)
    else waiting.push(data)
  })
  const flush = async (): Promise<void> => {
    const [error] = failed
    if (error) throw error
    for (const data of waiting) await target.write(data)
    waiting = []
  }
  for (const { name, path } of entries) {
    const file = new ZipDeflate(name, { level: 6 })
    file.mtime = nowMs
    zip.add(file)
    const source = await open(path, 'r')
    try {
      for (;;) {
        // A chunk of its own each time: what is packed may still look back at it.
        const { buffer, bytesRead } = await source.read(Buffer.allocUnsafe(chunkBytes), 0, chunkBytes)
        file.push(buffer.subarray(0, bytesRead), bytesRead === 0)
        await flush()
        if (bytesRead === 0) break
      }
    } finally {
      await source.close()
    }
  }
  zip.end()
  await flush()
}
