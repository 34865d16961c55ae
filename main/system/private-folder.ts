import { chmodSync, lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs'

const ownerOnly = 0o700
const ownerFile = 0o600
const writableByOthers = 0o022
const sticky = 0o1000

/** Why a folder cannot keep what is private, in words fit to be shown. */
export class FolderRefusal extends Error {
  override readonly name = 'FolderRefusal'
}

/**
 * Makes sure that a folder is there, belongs to this user, and can be written by nobody else. Returns whether it could be until
 * now. Whatever the umask, one that is made is 0700. Repeating it is safe. On Windows only its presence counts: folders of a
 * user's profile are closed to others there.
 * @param current the user's id; undefined on Windows
 * @throws FolderRefusal where it is no folder, belongs to somebody else, or is shared by design (as /tmp is).
 */
export function ensurePrivate(path: string, current: number | undefined = process.getuid?.()): 'private' | 'was-open' {
  const made = mkdirSync(path, { recursive: true, mode: ownerOnly }) !== undefined
  const place = realpathSync(path)
  const { uid, mode } = lstatSync(place)
  if (current === undefined) return 'private'
  if (uid !== current) {
    throw new FolderRefusal(`${path} belongs to another user (id ${uid}), who could read and change what Holdfast keeps there. Start Holdfast as that user, or set HOLDFAST_HOME to a folder of your own.`)
  }
  if (made) chmodSync(place, ownerOnly)
  if (made || (mode & writableByOthers) === 0) return 'private'
  if ((mode & sticky) !== 0) {
    throw new FolderRefusal(`${path} is shared by all users of this computer. Set HOLDFAST_HOME to a folder of your own, such as one inside of it.`)
  }
  chmodSync(place, mode & 0o7777 & ~writableByOthers)
  return 'was-open'
}

/** What came of a folder that is to be private. `refusal`: why it cannot be used, in words fit to be shown. */
export interface FolderOutcome {
  readonly wasOpen: boolean
  readonly refusal?: string
}

/** The folder that keeps all state, made private. Never throws. */
export function openHome(path: string): FolderOutcome {
  return outcomeOf(path, ensurePrivate)
}

/** A folder of ours alone, made private. Never throws. */
export function closedFolder(path: string): FolderOutcome {
  return outcomeOf(path, ensureClosed)
}

function outcomeOf(path: string, ensure: (path: string) => 'private' | 'was-open'): FolderOutcome {
  try {
    return { wasOpen: ensure(path) === 'was-open' }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return { wasOpen: false, refusal: error instanceof FolderRefusal ? reason : `${path} cannot be used for its settings: ${reason}` }
  }
}

/** As `ensurePrivate`, for a folder that only Holdfast uses: others may not look into it either. */
export function ensureClosed(path: string, current: number | undefined = process.getuid?.()): 'private' | 'was-open' {
  const was = ensurePrivate(path, current)
  if (current !== undefined) chmodSync(path, ownerOnly)
  return was
}

/**
 * Closes a file that exists to everybody but this user; nothing happens where there is none.
 * @throws FolderRefusal where it belongs to somebody else, who may have written what is in it.
 */
export function closeFile(path: string, current: number | undefined = process.getuid?.()): void {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found || current === undefined) return
  if (found.uid !== current) throw new FolderRefusal(`${path} belongs to another user (id ${found.uid}). Move it away, or give it back to yourself, and start Holdfast again.`)
  if ((found.mode & 0o777) !== ownerFile) chmodSync(path, ownerFile)
}

/** For write-file-atomic, which else hands a file on to the owner of the one that it replaces. */
export function ownFile(): { readonly mode: number; readonly chown?: { readonly uid: number; readonly gid: number } } {
  const uid = process.getuid?.()
  const gid = process.getgid?.()
  return { mode: ownerFile, ...(uid !== undefined && gid !== undefined && { chown: { uid, gid } }) }
}
