import { createHash, randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { hasErrno } from '../../base/errno.ts'
import type { Folder } from './folder.ts'

const hostMark = createHash('sha256').update(hostname()).digest('hex').slice(0, 8)

/** What `temporaryName` makes, and the second name that a trial of hard links gives it. Nothing else is ever removed from `.tmp`. */
const temporaryPattern = /^([0-9a-f]{8})-([1-9]\d{0,9})-[0-9a-f]{16}(?:-link)?$/

/** What lies in `.tmp` and is ours: temporary files, and claims (claim.ts). */
export const workName = /^(?:[0-9a-f]{8}-[1-9]\d{0,9}-[0-9a-f]{16}(?:-link)?|claim-[0-9a-f]{32}(?:\.break)?)$/

/** A new name that tells which process of which machine is writing it. */
export function temporaryName(): string {
  return `${hostMark}-${process.pid}-${randomBytes(8).toString('hex')}`
}

/**
 * Whether a temporary file or claim of that name may still be in use: by a process that lives on this machine, or by any process
 * of another one. Names of other makers count as abandoned.
 */
export function ownerOf(name: string): 'alive' | 'dead' | 'elsewhere' {
  const [, host, pid] = temporaryPattern.exec(name) ?? []
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
 * Removes our own temporary files that were last written more than `olderThanMs` ago and have no living owner here. A file of another
 * machine that is still being written is young; a machine that slept that long repeats its put. Claims (claim.ts) are never
 * removed by age: safety rests on no clock.
 */
export function removeStaleTemporaries(folder: Folder, olderThanMs: number, nowMs: number): Promise<number> {
  return removeStale(folder, (name) => temporaryPattern.test(name) && ownerOf(name) !== 'alive', olderThanMs, nowMs)
}

/** Removes regular files with names of ours that were last written more than `olderThanMs` ago; resolves to how many. */
export async function removeStale(folder: Folder, isOurs: (name: string) => boolean, olderThanMs: number, nowMs: number): Promise<number> {
  let removed = 0
  for (const entry of await folder.entries()) {
    if (!entry.isFile() || !isOurs(entry.name)) continue
    const found = await folder.info(entry.name)
    if (!found?.isFile() || nowMs - found.mtimeMs < olderThanMs) continue
    if (await folder.remove(entry.name)) removed++
  }
  return removed
}
