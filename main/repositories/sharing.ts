import type { JobSecrets } from '../../engine/protocol/job.ts'
import { sameSpelling } from '../../engine/protocol/providers/address.ts'
import type { JobStore } from '../jobs/store.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { repositoryUrl } from './address.ts'
import type { RepositoryRecord } from './store.ts'

/** What decides whether two are one: the place, what is kept for it, and which repository is there, where that is known. */
export interface Candidate {
  readonly address: string
  readonly secrets: JobSecrets
  readonly repositoryId?: string | undefined
}

/**
 * The record that a job can share: of the same place, opened with the same secrets. Other secrets, even for the same place, are never put in the
 * place of those that work. Undefined where there is none.
 */
export function sharedRepository(all: readonly RepositoryRecord[], kept: Pick<SecretStore, 'get'>, wanted: Candidate): RepositoryRecord | undefined {
  return all.find((one) => isSame(one, kept, wanted))
}

/** Jobs of one place that each had a repository of their own share one from now on. Repeating it changes nothing. */
export async function shareRepositories(store: JobStore, secrets: SecretStore): Promise<void> {
  for (const one of store.repositories.all) {
    // At each start: a keychain is asked only where there is something to compare.
    if (!store.repositories.all.some((other) => other.id !== one.id && isAt(other, addressOf(one)))) continue
    const wanted = candidateOf(one, secrets)
    const first = wanted && sharedRepository(store.repositories.all, secrets, wanted)
    if (!first || first.id === one.id) continue
    await store.merge(first.id, one.id)
    await secrets.remove(one.id)
  }
}

function candidateOf(record: RepositoryRecord, secrets: SecretStore): Candidate | undefined {
  const address = addressOf(record)
  const kept = address === undefined ? undefined : secrets.get(record.id, address)
  return address !== undefined && kept ? { address, secrets: kept, repositoryId: record.repositoryId } : undefined
}

function isSame(one: RepositoryRecord, kept: Pick<SecretStore, 'get'>, { address, secrets, repositoryId }: Candidate): boolean {
  if (repositoryId !== undefined && one.repositoryId !== undefined && one.repositoryId !== repositoryId) return false
  const found = isAt(one, address) ? kept.get(one.id, repositoryUrl(one.destination)) : undefined
  return found !== undefined && spelled(found) === spelled(secrets)
}

function isAt(one: RepositoryRecord, address: string | undefined): boolean {
  const at = addressOf(one)
  return at !== undefined && address !== undefined && sameSpelling(at) === sameSpelling(address)
}

/** Undefined for a storage that is not part of this version. */
function addressOf({ destination }: RepositoryRecord): string | undefined {
  try {
    return repositoryUrl(destination)
  } catch {
    return undefined
  }
}

function spelled({ password, storage }: JobSecrets): string {
  return JSON.stringify([password, Object.entries(storage).sort(([a], [b]) => (a < b ? -1 : 1))])
}
