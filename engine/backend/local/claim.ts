import { createHash } from 'node:crypto'
import { open, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { HoldfastError } from '../../base/errors.ts'
import { hasErrno } from './errors.ts'
import { renameInto } from './files.ts'
import { ownerOf, temporaryName } from './temporary.ts'

/**
 * Exclusive creation where the file system has no hard links (exFAT): whoever creates the claim file of a name may look whether
 * the name is free and move the file there. A claim of a dead process of this machine is broken; one of another machine
 * is not, because nothing tells whether it sleeps: that needs a person.
 * Resolves to false when the name is taken.
 */
export async function moveUnderClaim(folder: string, source: string, target: string): Promise<boolean> {
  const claim = join(folder, `claim-${createHash('sha256').update(target).digest('hex').slice(0, 32)}`)
  await takeClaim(claim)
  try {
    if (await fileExists(target)) return false
    await renameInto(source, target)
    return true
  } finally {
    await unlink(claim)
  }
}

async function takeClaim(claim: string): Promise<void> {
  try {
    await using file = await open(claim, 'wx')
    await file.writeFile(temporaryName())
  } catch (error) {
    if (!hasErrno(error, 'EEXIST')) throw error
    await breakDeadClaim(claim)
  }
}

/** Leaves the retry to the caller's retry policy: `unavailable` in any case. */
async function breakDeadClaim(claim: string): Promise<never> {
  const owner = await readFile(claim, 'utf8').catch(() => '')
  // An empty claim is being written this moment, or its writer died in between; only a named owner is known to be dead.
  if (owner !== '' && ownerOf(owner) === 'dead') await unlink(claim).catch(() => undefined)
  throw new HoldfastError('unavailable', `Another process is creating the same object; if none runs, remove ${claim}.`)
}

async function fileExists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (hasErrno(error, 'ENOENT')) return false
    throw error
  }
}
