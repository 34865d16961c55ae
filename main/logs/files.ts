import { createHash } from 'node:crypto'
import { open, readdir, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'

/** One of the log's files, held open: it stays the same one while others take its name. */
export interface OpenLog {
  readonly handle: FileHandle
  /** The same under every name it is rotated to: a mark of its first line. */
  readonly id: string
  readonly size: number
}

const mark = /^holdfast(?:\.(\d+))?\.jsonl$/
const firstBytes = 4096

/** The files of the log that hold a line, the newest first, opened to read. Dispose them. */
export async function openLogs(folder: string): Promise<{ readonly files: readonly OpenLog[] } & AsyncDisposable> {
  const files: OpenLog[] = []
  const dispose = async (): Promise<void> => { for (const { handle } of files) await handle.close() }
  try {
    for (const name of await namesIn(folder)) {
      const file = await openOne(join(folder, name))
      // One that is rotated between two openings comes twice.
      if (file && files.some(({ id }) => id === file.id)) await file.handle.close()
      else if (file) files.push(file)
    }
  } catch (error) {
    await dispose()
    throw error
  }
  return { files, [Symbol.asyncDispose]: dispose }
}

async function namesIn(folder: string): Promise<readonly string[]> {
  const names = folder === '' ? [] : await readdir(folder).catch(() => [])
  const age = (name: string): number => Number(mark.exec(name)?.[1] ?? 0)
  return names.filter((name) => mark.test(name)).sort((a, b) => age(a) - age(b))
}

async function openOne(path: string): Promise<OpenLog | undefined> {
  const handle = await open(path, 'r').catch(() => undefined)
  if (!handle) return undefined
  try {
    const { size } = await handle.stat()
    const buffer = Buffer.alloc(firstBytes)
    const { bytesRead } = await handle.read(buffer, 0, firstBytes, 0)
    const end = buffer.subarray(0, bytesRead).indexOf(10)
    if (end >= 0 || bytesRead === firstBytes) return { handle, size, id: createHash('sha256').update(buffer.subarray(0, end < 0 ? firstBytes : end)).digest('hex').slice(0, 16) }
  } catch {
    // It cannot be read: it has nothing to show.
  }
  await handle.close()
  return undefined
}
