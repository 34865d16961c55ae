import { probeBackend, type Probe } from '../backend/probe.ts'
import { HoldfastError } from '../base/errors.ts'
import { ProbeMemory } from '../catalog/probe-memory.ts'
import type { Repository } from '../repository/repository.ts'

/** A storage that was seen to bear a repository is tried again after this time: servers are replaced, settings change. */
const probeAgainMs = 7 * 24 * 3_600_000

/**
 * Tries whether the storage does what the repository's mode rests on, before anything is decided there: a repository may have been
 * copied to another server than the one it was made on. Harmless and repeatable. Errors: `unsupported`, those of the storage.
 */
export async function requireCapabilities({ backend, config }: Repository, signal: AbortSignal): Promise<void> {
  expectBearable(backend.label, await probeBackend(backend, signal), config.arbiter)
}

/** Errors: `unsupported` when such a storage can bear no repository, or none of this mode. */
export function expectBearable(label: string, probe: Probe, arbiter?: Repository['config']['arbiter']): void {
  if (!probe.listsAtOnce) throw notBorne(label, 'It does not list at once what was written, so several writers could not share it safely.')
  if (arbiter === 'cas' && !probe.exclusiveCreate) {
    throw notBorne(label, 'This repository needs objects that can only be created once (If-None-Match), and the storage lets them be overwritten.')
  }
}

/** The same, unless this machine saw it within the last week at this address. A clock that jumped back makes it try again. */
export async function requireCapabilitiesOnceAWeek(repository: Repository, home: string, nowMs: number, signal: AbortSignal): Promise<void> {
  const { label } = repository.backend
  const memory = new ProbeMemory(home, repository.config.repositoryId)
  const lastMs = memory.lastMs(label)
  if (lastMs !== undefined && lastMs <= nowMs && nowMs - lastMs < probeAgainMs) return
  await requireCapabilities(repository, signal)
  await rememberProbe(repository, home, nowMs)
}

/** The storage was just seen to bear the repository. What cannot be remembered is tried again. */
export async function rememberProbe({ backend, config }: Repository, home: string, nowMs: number): Promise<void> {
  await new ProbeMemory(home, config.repositoryId).set(backend.label, nowMs).catch(() => undefined)
}

function notBorne(label: string, why: string): HoldfastError {
  return new HoldfastError('unsupported', `${label} cannot bear this repository. ${why}`)
}
