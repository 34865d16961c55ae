import type { Clock } from '../base/clock.ts'
import { assertNever } from '../base/errors.ts'
import type { StorageBackend, UploadJournal } from './backend.ts'
import { openLocal } from './local/local.ts'
import { openMemory } from './memory/memory.ts'
import { parseAddress, type BackendAddress } from './url.ts'

export interface OpenOptions {
  /** See JobSecrets.storage: S3 takes `accessKeyId`, `secretAccessKey`, `sessionToken`. */
  readonly secrets: Readonly<Record<string, string>>
  readonly signal: AbortSignal
  /** Without it, interrupted uploads start again from their beginning. */
  readonly uploadJournal?: UploadJournal
  readonly clock?: Clock
  /** Only where a repository is to be made: a missing folder is made too. Otherwise it is `offline` (its disk is not connected). */
  readonly create?: boolean
}

/**
 * The storage at an address, bare: without retry, limits and log (see retry.ts, limits.ts, log.ts). Needs no network by itself.
 * Errors: arguments, credentials, offline, denied.
 */
export function openBackend(url: string, options: OpenOptions): Promise<StorageBackend> {
  return openAddress(parseAddress(url), options)
}

async function openAddress(address: BackendAddress, options: OpenOptions): Promise<StorageBackend> {
  switch (address.type) {
    case 'local':
      return openLocal(address.path, options, options.signal)
    case 'memory':
      return openMemory(address.name, options.clock)
    case 's3': {
      // The SDK costs a fifth of a second to load; a backup to a disk does not pay that.
      const { openS3 } = await import('./s3/s3.ts')
      return openS3(address, options)
    }
    case 'faulty': {
      const { withFaults, parseFaultPlan } = await import('./faulty/faulty.ts')
      const plan = parseFaultPlan(address.faults)
      return withFaults(await openAddress(address.inner, options), plan, options.clock)
    }
    default:
      return assertNever(address)
  }
}
