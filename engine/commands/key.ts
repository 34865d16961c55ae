import { HoldfastError } from '../base/errors.ts'
import { systemRandom } from '../repository/crypto.ts'
import { addPassword, listKeys, removeKey } from '../repository/keys.ts'
import type { KeyInfo } from '../repository/keys.ts'
import type { CommandContext } from './context.ts'
import type { RepositoryAddress } from './init.ts'
import { openForCommand } from './open.ts'

export type { KeyInfo } from '../repository/keys.ts'

/** Every key of the repository, one for each password. Errors: those of openForCommand. */
export async function listKeysOf(address: RepositoryAddress, context: CommandContext): Promise<KeyInfo[]> {
  await using open = await openForCommand({ ...address, type: 'test' }, context)
  return await listKeys(open.repository, context.signal)
}

/** Lets another password open the repository. @returns the key's name. Errors: arguments (empty, too many), those of openForCommand. */
export async function addKeyTo(address: RepositoryAddress, password: string, context: CommandContext): Promise<string> {
  await using open = await openForCommand({ ...address, type: 'test' }, context)
  return await addPassword(open.repository, { password, label: '' }, { clock: context.clock, random: systemRandom }, context.signal)
}

/**
 * Takes a password away. `id` may be the beginning of a key's name, if only one begins so. @returns the whole name.
 * Errors: not-found, arguments (several begin so, or it is the last), those of openForCommand.
 */
export async function removeKeyFrom(address: RepositoryAddress, id: string, context: CommandContext): Promise<string> {
  await using open = await openForCommand({ ...address, type: 'test' }, context)
  const found = (await listKeys(open.repository, context.signal)).filter((key) => key.name.startsWith(id))
  const [key] = found
  if (!key || id === '') throw new HoldfastError('not-found', `There is no key ${id}.`)
  if (found.length > 1) throw new HoldfastError('arguments', `Several keys begin with ${id}: give more of the name.`)
  await removeKey(open.repository, key.name, context.signal)
  return key.name
}
