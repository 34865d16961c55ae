import type { StorageBackend } from '../backend/backend.ts'
import { probeBackend } from '../backend/probe.ts'
import { systemRandom } from '../repository/crypto.ts'
import { initRepository, repositoryExists, repositoryIdAt } from '../repository/repository.ts'
import type { InitOptions, Repository } from '../repository/repository.ts'
import { expectBearable, rememberProbe } from './capabilities.ts'
import type { CommandContext } from './context.ts'

/** What a new repository takes over from another, so that a sync finds the same pieces in both. */
export type Like = Required<Pick<InitOptions, 'chunker' | 'content'>>

/**
 * Makes a repository in the mode that the storage was seen to bear: exclusive creation decides about commits where it works, flags
 * elsewhere.
 * @param home Holdfast's own folder, which remembers what the storage was seen to bear.
 * Errors: exists, unsupported (a listing lags behind: no protocol is safe then), arguments, and those of the storage.
 */
export async function createRepository(backend: StorageBackend, context: CommandContext, home: string, like?: Like): Promise<Repository> {
  const { clock, secrets, signal } = context
  // Before anything is tried there: a repository that exists needs no trial, and a config that is not ours is somebody's file.
  if (await repositoryIdAt(backend, signal) !== undefined) throw repositoryExists(backend)
  const probe = await probeBackend(backend, signal)
  expectBearable(backend.label, probe)
  const repository = await initRepository(backend, secrets.password, { arbiter: probe.exclusiveCreate ? 'cas' : 'flags', clock, random: systemRandom, label: 'first', ...like }, signal)
  await rememberProbe(repository, home, clock.now())
  return repository
}
