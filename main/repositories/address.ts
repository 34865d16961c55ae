import { pathToFileURL } from 'node:url'
import type { JobSecrets } from '../../engine/protocol/job.ts'
import type { Destination } from '../api/contract.ts'
import { MainError } from '../api/errors.ts'
import { providerById, writeAddress } from '../api/providers.ts'
import type { SecretStore } from '../settings/secrets.ts'
import { assertNever } from '../system/never.ts'
import type { RepositoryRecord } from './store.ts'

/** The address as engines take it, and as secrets are bound to. Holds no credentials. Errors: `arguments`. */
export function repositoryUrl(destination: Destination): string {
  switch (destination.type) {
    case 'folder':
      return pathToFileURL(destination.path).href
    case 'provider': {
      const provider = providerById(destination.provider)
      if (!provider) throw new MainError('arguments', 'This storage is not part of this version of Holdfast.', { field: 'config.destination' })
      return writeAddress(provider, destination.values)
    }
    default:
      return assertNever(destination)
  }
}

/** What is kept for a repository and the place where it is now. Errors: `arguments`. */
export function keptSecrets(secrets: Pick<SecretStore, 'get'>, { id, destination }: Pick<RepositoryRecord, 'id' | 'destination'>): JobSecrets | undefined {
  return secrets.get(id, repositoryUrl(destination))
}

/** The same. Errors: also `password` where nothing is kept. */
export function requireSecrets(secrets: Pick<SecretStore, 'get'>, repository: RepositoryRecord): JobSecrets {
  const kept = keptSecrets(secrets, repository)
  if (!kept) throw passwordMissing()
  return kept
}

export function passwordMissing(): MainError {
  return new MainError('password', 'The password of this job is not stored, or cannot be opened.', { missing: true })
}
