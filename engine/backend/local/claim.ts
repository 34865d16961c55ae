import { createHash } from 'node:crypto'
import { open, readFile, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../base/clock.ts'
import { HoldfastError } from '../../base/errors.ts'
import { hasErrno } from './errors.ts'
import { renameInto } from './files.ts'
import { ownerOf, temporaryName } from './temporary.ts'

const pollMs = 10
const tries = 500

/**
 * Exclusive creation where the file system has no hard links (exFAT): whoever creates the claim file of a name may look whether
 * the name is free and move the file there. A claim of a dead process of this machine is broken; one of another machine
 * is not, because nothing tells whether it sleeps: that needs a person (`unavailable`, with the file's name).
 * Resolves to false when the name is taken.
 */
export async function moveUnderClaim(folder: string, source: string, target: string, signal: AbortSignal): Promise<boolean> {
  const claim = join(folder, `claim-${createHash('sha256').update(target).digest('hex').slice(0, 32)}`)
  await takeClaim(claim, signal)
  try {
    if (await fileExists(target)) return false
    await renameInto(source, target)
    return true
  } finally {
    await unlink(claim)
  }
}

async function takeClaim(claim: string, signal: AbortSignal): Promise<void> {
  for (let count = 0; count < tries; count++) {
    if (await createFile(claim)) return
    const owner = await readFile(claim, 'utf8').catch(() => '')
    // An empty claim is being written this moment, or its writer died in between; only a named owner is known to be dead.
    if (owner !== '' && ownerOf(owner) === 'dead') await breakClaim(claim, owner)
    else await systemClock.sleep(pollMs, signal)
  }
  throw new HoldfastError('unavailable', `Another process is creating the same object. If none is, remove ${claim}.`)
}

/** One breaker at a time, so that nobody removes the claim that came after the dead one. */
async function breakClaim(claim: string, deadOwner: string): Promise<void> {
  const lock = `${claim}.break`
  if (!(await createFile(lock))) return
  try {
    if ((await readFile(claim, 'utf8').catch(() => '')) === deadOwner) await unlink(claim)
  } finally {
    await unlink(lock)
  }
}

/** False: it exists. */
async function createFile(path: string): Promise<boolean> {
  try {
    await using file = await open(path, 'wx')
    await file.writeFile(temporaryName())
    return true
  } catch (error) {
    if (hasErrno(error, 'EEXIST')) return false
    throw error
  }
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
