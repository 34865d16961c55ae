import { open, unlink, type FileHandle } from 'node:fs/promises'
import { errnoOf } from '../base/errno.ts'
import { HoldfastError } from '../base/errors.ts'
import { version } from '../base/version.ts'
import { kitPage } from '../protocol/kit-page.ts'
import { providerOf } from '../protocol/providers/address.ts'
import { recoveryWords } from '../protocol/recovery-words.ts'
import { systemRandom } from '../repository/crypto.ts'
import { addRecoveryKey } from '../repository/keys.ts'
import { keyObject } from '../repository/names.ts'
import { openRepository, type Repository } from '../repository/repository.ts'
import type { CommandContext } from './context.ts'
import type { RepositoryAddress } from './init.ts'
import { openForCommand } from './open.ts'

/** Random bytes of a recovery key. */
const entropyBytes = 16

export interface MadeKit {
  readonly repositoryId: string
  /** Name of the key object, to revoke the kit by. */
  readonly key: string
  /** A secret: to ask for some of them, not to show or keep them. */
  readonly words: string
}

/** A kit whose page is not written anywhere yet. */
export interface UnwrittenKit extends MadeKit {
  /** HTML that bears the words. */
  readonly page: string
}

/**
 * Makes a recovery key, lets it open the repository, tries it, and writes the page that bears it into a file that was not there, for this user alone.
 * When it fails, or is stopped, neither key nor file stays; killed in between, a key may stay that nobody knows (`key list` shows it).
 * Errors: `exists` (the file), `denied`, `full`, `arguments` (the file's folder; too many keys), those of openForCommand.
 */
export async function createKit(address: RepositoryAddress, file: string, context: CommandContext): Promise<MadeKit> {
  await using opened = await openForCommand({ ...address, type: 'test' }, context)
  const { repository } = opened
  await using target = await newFile(file)
  const { page, ...made } = await makeKit(repository, address.repository, context)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => takeBack(repository, made.key, context))
  await target.write(page)
  undo.move()
  return made
}

/**
 * Makes a recovery key, lets it open the repository and tries it. When it fails, or is stopped, the key does not stay; killed in between, one may stay that
 * nobody knows. Repeated, it makes one more. Errors: `arguments` (too many keys), those of the storage.
 * @param address of the repository, as it stands on the page
 */
export async function makeKit(repository: Repository, address: string, context: CommandContext): Promise<UnwrittenKit> {
  const words = recoveryWords(systemRandom(entropyBytes))
  const key = await addRecoveryKey(repository, words, { clock: context.clock, random: systemRandom }, context.signal)
  await using undo = new AsyncDisposableStack()
  undo.defer(() => takeBack(repository, key, context))
  await expectOpens(repository, words, key, context.signal)
  const { repositoryId } = repository.config
  const page = kitPage({ address, repositoryId, keyName: key, words, createdMs: context.clock.now(), storageSecrets: secretsOf(address), program: `Holdfast ${version}` })
  undo.move()
  return { repositoryId, key, words, page }
}

/** What the storage asks for, as its form calls it. */
function secretsOf(address: string): readonly string[] {
  const provider = providerOf(address.replace(/^(?:faulty\+)+/, ''))
  return provider === undefined ? [] : [...(provider.signIn === undefined ? [] : [`an account at ${provider.name}`]), ...provider.secrets.map(({ label }) => label)]
}

/** Long enough for a storage that answers at all. */
const undoMs = 30_000

/** Why a kit could not be made says more than why its key could not be removed: nobody knows that one's words. */
async function takeBack({ backend }: Repository, key: string, { log }: CommandContext): Promise<void> {
  try {
    await backend.remove(keyObject(key), AbortSignal.timeout(undoMs))
  } catch (error) {
    log.write('warning', `The key ${key} of the kit that could not be made stays, and nobody knows its words. Take it away with "holdfast key remove". ${error instanceof Error ? error.message : ''}`)
  }
}

/** A storage that keeps something else than it was given would be found out when it is too late. */
async function expectOpens(repository: Repository, words: string, key: string, signal: AbortSignal): Promise<void> {
  const { keyName } = await openRepository(repository.backend, words, signal, () => key)
  if (keyName !== key) throw new HoldfastError('internal', 'Another key opened the repository than the one that was made.')
}

interface NewFile extends AsyncDisposable {
  /** Once; on the disk when it resolves, and then it stays. */
  write(text: string): Promise<void>
}

/** Removed again unless it is written. */
async function newFile(path: string): Promise<NewFile> {
  const handle = await orTold(path, () => open(path, 'wx', 0o600))
  let kept = false
  return {
    write: async (text) => {
      await orTold(path, () => writeAll(handle, text))
      kept = true
    },
    [Symbol.asyncDispose]: async () => {
      await handle.close()
      if (!kept) await unlink(path).catch(() => undefined)
    },
  }
}

async function writeAll(handle: FileHandle, text: string): Promise<void> {
  await handle.writeFile(text)
  await handle.sync()
}

async function orTold<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    const errno = errnoOf(cause)
    if (errno === undefined) throw cause
    const [code, words] = causes[errno] ?? ['denied', `it cannot be written (${errno})`]
    throw new HoldfastError(code, `The recovery kit ${path}: ${words}.`, { cause, data: { advice: 'Give another file with --out.' } })
  }
}

const causes: Readonly<Partial<Record<string, readonly ['exists' | 'arguments' | 'denied' | 'full', string]>>> = {
  EEXIST: ['exists', 'there is such a file already; it is left as it is'],
  ENOENT: ['arguments', 'its folder is not there'],
  ENOTDIR: ['arguments', 'its folder is a file'],
  ENOSPC: ['full', 'the disk is full'],
  EDQUOT: ['full', 'the disk quota of this user is used up'],
  EACCES: ['denied', 'this user may not write there'],
  EPERM: ['denied', 'this user may not write there'],
  EROFS: ['denied', 'the file system is read-only'],
}
