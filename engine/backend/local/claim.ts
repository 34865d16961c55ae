import { createHash } from 'node:crypto'
import { link } from 'node:fs/promises'
import { systemClock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import { hasErrno } from '../../base/errno.ts'
import { renameInto, type Place } from './files.ts'
import type { Folder } from './folder.ts'
import { ownerOf, temporaryName } from './temporary.ts'

const pollMs = 10
const tries = 500
/** A claim holds a temporary name. */
const maximumClaimBytes = 256

/** Where the claim of an object lies, among the temporary files. The same on every machine, wherever the folder is mounted. */
export function claimName(object: string): string {
  return `claim-${createHash('sha256').update(object).digest('hex').slice(0, 32)}`
}

/**
 * Exclusive creation where the file system has no hard links (exFAT): whoever creates the claim file of an object may look whether
 * the name is free and move the file there. A claim of a dead process of this machine is broken; one of another machine
 * is not, because nothing tells whether it sleeps: that needs a person (`unavailable`, with the file's name).
 * Resolves to false when the name is taken.
 */
export async function moveUnderClaim(temporary: Folder, object: string, from: Place, to: Place, signal: AbortSignal): Promise<boolean> {
  const claim = claimName(object)
  await takeClaim(temporary, claim, signal)
  try {
    if (await to.folder.info(to.name)) return false
    await renameInto(from, to)
    return true
  } finally {
    await temporary.remove(claim)
  }
}

async function takeClaim(folder: Folder, claim: string, signal: AbortSignal): Promise<void> {
  for (let count = 0; count < tries; count++) {
    if (await createFile(folder, claim)) return
    const owner = await ownerIn(folder, claim)
    // An empty claim is being written this moment, or its writer died in between; only a named owner is known to be dead.
    if (owner !== '' && ownerOf(owner) === 'dead') await breakClaim(folder, claim, owner)
    else await systemClock.sleep(pollMs, signal)
  }
  throw new HoldfastError('unavailable', `Another process is creating the same object. If none is, remove ${folder.shown(claim)}.`)
}

/** One breaker at a time, so that nobody removes the claim that came after the dead one. */
async function breakClaim(folder: Folder, claim: string, deadOwner: string): Promise<void> {
  const lock = `${claim}.break`
  if (!(await createFile(folder, lock))) return
  try {
    if ((await ownerIn(folder, claim)) === deadOwner) await folder.remove(claim)
  } finally {
    await folder.remove(lock)
  }
}

/** What a claim says, '' when it is gone or empty. */
async function ownerIn(folder: Folder, claim: string): Promise<string> {
  try {
    using opened = await folder.openFile(claim)
    const { bytesRead, buffer } = await opened.file.read(Buffer.alloc(maximumClaimBytes), 0, maximumClaimBytes, 0)
    return buffer.toString('utf8', 0, bytesRead)
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return ''
    throw error
  }
}

/** False: it exists. */
async function createFile(folder: Folder, name: string): Promise<boolean> {
  try {
    await using file = await folder.createFile(name)
    await file.writeFile(temporaryName())
    return true
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false
    throw error
  }
}

/** Whether the file system has hard links, tried among the temporary files. */
export async function hasHardLinks(temporary: Folder): Promise<boolean> {
  const probe = temporaryName()
  const second = `${probe}-link`
  await using _file = await temporary.createFile(probe)
  try {
    await link(temporary.entry(probe), temporary.entry(second))
    return true
  } catch (error) {
    if (hasErrno(error, ...withoutLinks)) return false
    throw error
  } finally {
    await temporary.remove(probe)
    await temporary.remove(second)
  }
}

/** How file systems say that they have no hard links; some of these have other reasons too. */
export const withoutLinks = ['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'] as const
