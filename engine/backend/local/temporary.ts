import { createHash, randomBytes } from 'node:crypto'
import { opendir, stat, unlink } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { hasErrno } from './errors.ts'

const hostMark = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** A new name that tells which process of which machine is writing it. */
export function temporaryName(): string {
  return `${hostMark}-${process.pid}-${randomBytes(8).toString('hex')}`
}

/**
 * Whether a temporary file or claim of that name may still be in use: by a process that lives on this machine, or by any process
 * of another one. Names of other makers count as abandoned.
 */
export function ownerOf(name: string): 'alive' | 'dead' | 'elsewhere' {
  const [, host, pid] = /^([0-9a-f]{8})-(\d{1,10})-/.exec(name) ?? []
  if (host === undefined || pid === undefined) return 'dead'
  if (host !== hostMark) return 'elsewhere'
  try {
    process.kill(Number(pid), 0)
    return 'alive'
  } catch (error) {
    return hasErrno(error, 'EPERM') ? 'alive' : 'dead'
  }
}

/**
 * Removes temporary files that were last written more than `olderThanMs` ago and have no living owner here. A file of another
 * machine that is still being written is young; a machine that slept that long repeats its put. Claims (claim.ts) are never
 * removed by age: safety rests on no clock.
 */
export async function removeStaleTemporaries(folder: string, olderThanMs: number, nowMs: number): Promise<number> {
  let removed = 0
  for await (const entry of await opendir(folder)) {
    if (!entry.isFile() || entry.name.startsWith('claim-') || ownerOf(entry.name) === 'alive') continue
    const path = join(folder, entry.name)
    try {
      if (nowMs - (await stat(path)).mtimeMs < olderThanMs) continue
      await unlink(path)
      removed++
    } catch (error) {
      if (!hasErrno(error, 'ENOENT')) throw error
    }
  }
  return removed
}
