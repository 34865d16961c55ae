import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, readdirSync, statSync } from 'node:fs'
import type { Stats } from 'node:fs'
import { dirname } from 'node:path'
import { diskError } from './disk-error.ts'
import { errnoOf } from './errno.ts'
import { HoldfastError } from './errors.ts'

/** Told what was found too open and closed. */
export type Note = (words: string) => void

const folderMode = 0o700
const fileMode = 0o600
const othersMayRead = 0o077
const othersMayWrite = 0o022
const everybodyMayWrite = 0o002

/** Entries of HOLDFAST_HOME: where there is nothing else, the folder is Holdfast's own. */
const ownNames = /^(?:catalogs|drills|host-keys|spool|restores|logs|history|window|dry-run-.*|(?:app-)?accounts\.(?:json|lock).*|(?:concurrency|settings|jobs|mail|reminders|reports|secrets|status|watch)\.json.*|secrets\.key.*|marks\.db.*)$/

/**
 * HOLDFAST_HOME, made where there is none: it holds names of files in plain, so nobody else may look into it, and nobody else may have
 * put something there. A folder of its own that is too open is closed; one with other things in it stays as it is, its parts are closed.
 * Errors: denied (another's, or open for others to write), those of makePrivateFolder.
 */
export function prepareHome(path: string, note: Note): void {
  if (makeMissing(path)) return
  const stat = statSync(path)
  const me = process.getuid?.()
  if (me === undefined) return
  if (stat.uid !== me) throw refused(`Holdfast's folder ${path} belongs to another user (number ${stat.uid}), who could change what is in it. Set HOLDFAST_HOME to a folder of your own.`)
  const open = stat.mode & othersMayRead
  if (open === 0) return
  const names = readdirSync(path)
  const isOwn = names.every((name) => ownNames.test(name))
  const mayBePlanted = (open & everybodyMayWrite) !== 0 && names.length > 0
  if (mayBePlanted || (!isOwn && (open & othersMayWrite) !== 0)) {
    throw refused(`Others can write to Holdfast's folder ${path}. Look at what is in it and close it (chmod 700), or set HOLDFAST_HOME to a folder of your own.`)
  }
  if (isOwn) close(path, note)
}

/**
 * A folder of Holdfast's own, 0700 whatever the umask, with its parents; one that is there is closed to others. Repeating is safe.
 * Errors: full, denied, arguments (a file is in the way), each with `data.place` `home`.
 */
export function makePrivateFolder(path: string, note: Note = () => undefined): void {
  if (makeMissing(path)) return
  const stat = lstatSync(path)
  if (stat.isDirectory() && isMine(stat) && (stat.mode & othersMayRead) !== 0) close(path, note)
}

/**
 * Makes an empty file, 0600 whatever the umask, or closes one that is there: before a library opens it and would choose a mode. One that is
 * there is not opened, since closing it again would end the locks that this process has on it. Errors: as makePrivateFolder.
 */
export function makePrivateFile(path: string): void {
  try {
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) createFile(path)
    else if (stat.isDirectory()) throw Object.assign(new Error('is a folder'), { code: 'EISDIR' })
    else if (!stat.isFile()) throw Object.assign(new Error('is no file'), { code: 'ELOOP' })
    else if (isMine(stat) && (stat.mode & 0o777) !== fileMode) chmodSync(path, fileMode)
  } catch (error) {
    throw diskError(error, path)
  }
}

function createFile(path: string): void {
  try {
    closeSync(openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, fileMode))
    chmodSync(path, fileMode)
  } catch (error) {
    // Another run made it in this moment, in the same way.
    if (errnoOf(error) !== 'EEXIST') throw error
  }
}

/** @returns whether the folder had to be made. */
function makeMissing(path: string): boolean {
  try {
    return make(path)
  } catch (error) {
    throw error instanceof HoldfastError ? error : diskError(error, path)
  }
}

/** Node's own `recursive` never returns where a parent exists and refuses with ENOENT, as /proc does. */
function make(path: string): boolean {
  try {
    mkdirSync(path, folderMode)
    chmodSync(path, folderMode)
    return true
  } catch (error) {
    const code = errnoOf(error)
    // A symbolic link to a folder will do; one that leads nowhere is EEXIST here and ENOENT there.
    if (code === 'EEXIST') {
      if (statSync(path).isDirectory()) return false
      throw error
    }
    const parent = dirname(path)
    if (code !== 'ENOENT' || parent === path || lstatSync(parent, { throwIfNoEntry: false }) !== undefined) throw error
    make(parent)
    mkdirSync(path, folderMode)
    chmodSync(path, folderMode)
    return true
  }
}

function close(path: string, note: Note): void {
  try {
    chmodSync(path, folderMode)
  } catch (error) {
    throw diskError(error, path)
  }
  note(`Other users could look into Holdfast's folder ${path}; it is closed to them now.`)
}

function isMine(stat: Stats): boolean {
  return stat.uid === process.getuid?.()
}

function refused(words: string): HoldfastError {
  return new HoldfastError('denied', words, { data: { place: 'home' } })
}
