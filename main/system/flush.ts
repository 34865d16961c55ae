import { execFile } from 'node:child_process'

/** A slow stick takes its time. */
const patienceMs = 10 * 60_000

/**
 * Waits until all that was written to the file system at a folder is on its disk (`syncfs`, which Node does not have: the system's own `sync -f`). False
 * where that cannot be told. Never rejects; repeating is safe.
 */
export function flushFileSystem(folder: string, command = 'sync'): Promise<boolean> {
  if (process.platform !== 'linux') return Promise.resolve(false)
  return new Promise((resolve) => {
    execFile(command, ['-f', '--', folder], { timeout: patienceMs }, (error) => { resolve(error === null) })
  })
}
