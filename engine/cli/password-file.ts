import { open } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import { HoldfastError } from '../base/errors.ts'
import { readBounded } from './bounded.ts'
import { decodePassword, passwordWords } from '../protocol/password.ts'
import { typedFile } from './typed.ts'

/** More than any password with its notes; /dev/zero is cut off here. */
const maxFileBytes = 64 * 1024

/**
 * The first line of a password file: a regular file, a pipe as `<(pass show …)` makes one, or `-` for standard input.
 * Errors: arguments for one that cannot be read, that others can change, or whose first line is no password.
 */
export async function readPasswordFile(text: string, option: string, warn: (words: string) => void): Promise<string> {
  const path = text === '-' ? '-' : typedFile(option, text)
  const bytes = await read(path, option, warn)
  const decoded = decodePassword(bytes)
  if (decoded.ok) return decoded.password
  throw new HoldfastError('arguments', `The first line of the password file ${path} ${passwordWords[decoded.problem]}.`)
}

/**
 * Recovery words out of a file of any number of lines, with the same care.
 * Errors: arguments for a file that cannot be read, that others can change, or that holds no recovery words.
 */
export async function readRecoveryKeyFile(text: string, warn: (words: string) => void): Promise<string> {
  const option = '--recovery-key-file'
  const path = text === '-' ? '-' : typedFile(option, text)
  const bytes = await read(path, option, warn)
  const { readRecoveryWords, recoveryProblem } = await import('../protocol/recovery-words.ts')
  const words = readRecoveryWords(Buffer.from(bytes).toString('utf8'))
  if (words.ok) return words.words
  throw new HoldfastError('arguments', `${path} holds no recovery key: ${recoveryProblem(words)}`)
}

async function read(path: string, option: string, warn: (words: string) => void): Promise<Uint8Array> {
  const tooLong = (): HoldfastError => new HoldfastError('arguments', `${path} is no password file: it holds more than 64 KiB.`)
  if (path === '-') return readBounded(process.stdin, maxFileBytes, tooLong)
  try {
    await using file = await open(path, 'r')
    expectSafe(path, await file.stat(), warn)
    return await readBounded(chunksOf(file), maxFileBytes, tooLong)
  } catch (cause) {
    if (cause instanceof HoldfastError) throw cause
    const code: unknown = cause instanceof Error ? Reflect.get(cause, 'code') : undefined
    throw new HoldfastError('arguments', `${option}: the password file ${path} cannot be read: ${reasons[String(code)] ?? String(code)}.`, { cause })
  }
}

/** Piece by piece, so that neither an endless file nor a pipe that stays open is read further than it is used. */
async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(4096), 0, 4096, null)
    if (bytesRead === 0) return
    yield buffer.subarray(0, bytesRead)
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'there is no such file',
  EISDIR: 'it is a folder',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its symbolic links go in a circle',
  ENXIO: 'it is a socket or device that nobody serves',
}

/** Whoever can write the file chooses the password, and whoever can read it knows it. Only of real files: a pipe has no owner to speak of. */
function expectSafe(path: string, stat: Stats, warn: (words: string) => void): void {
  if (stat.isDirectory()) throw new HoldfastError('arguments', `The password file ${path} is a folder.`)
  const me = process.getuid?.()
  if (!stat.isFile() || me === undefined) return
  if ((stat.mode & 0o002) !== 0) throw new HoldfastError('arguments', `Everybody on this machine can change the password file ${path}: take that right away (chmod 600), and look at what is in it.`)
  if (stat.uid !== me && stat.uid !== 0) {
    if (me !== 0) throw new HoldfastError('arguments', `The password file ${path} belongs to another user, who can change it: make a copy of your own.`)
    if (process.env['SUDO_UID'] !== String(stat.uid)) warn(`The password file ${path} belongs to another user, who can change it.`)
  }
  if ((stat.mode & 0o004) !== 0) warn(`Everybody on this machine can read the password file ${path}: take that right away (chmod 600).`)
}
