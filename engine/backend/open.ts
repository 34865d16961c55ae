import type { Clock } from '../base/clock.ts'
import { assertNever, HoldfastError } from '../base/errors.ts'
import { parseAddress, type BackendAddress } from './address.ts'
import type { RequestPause, StorageBackend, UploadJournal } from './backend.ts'
import type { CredentialSource } from './credentials.ts'
import { openLocal } from './local/local.ts'
import { openMemory } from './memory/memory.ts'
import { implementations } from './registry.ts'
import { serviceFrom } from './service.ts'
import { withContinuing } from './wrappers/continuing.ts'

export interface OpenOptions {
  readonly credentials: CredentialSource
  readonly signal: AbortSignal
  /** Without it, interrupted uploads start again from their beginning. */
  readonly uploadJournal?: UploadJournal
  readonly clock?: Clock
  /** Asked before each request that one operation makes of several (pages, parts), so that none goes out while the storage wants to be left alone. */
  readonly pause?: RequestPause
  /** Only where a repository is to be made: a missing folder is made too. Otherwise it is `offline` (its disk is not connected). */
  readonly create?: boolean
  /** HOLDFAST_HOME, where a provider keeps what it knows of servers (a pinned host key); without it nothing is kept. */
  readonly home?: string
  /** Speaks to this origin instead of the service's own: see service.ts. */
  readonly service?: string
}

/**
 * The storage at an address, bare: without retry, limits and log (see wrappers/). Needs no network by itself.
 * Errors: arguments, credentials, offline, denied.
 */
export function openBackend(address: string, options: OpenOptions): Promise<StorageBackend> {
  return openAddress(parseAddress(address), options)
}

async function openAddress(address: BackendAddress, options: OpenOptions): Promise<StorageBackend> {
  switch (address.type) {
    case 'local':
      return openLocal(address.path, options, options.signal)
    case 'memory':
      return openMemory(address.name, options.clock)
    case 'provider': {
      const { id, name } = address.provider
      const load = implementations[id]
      if (!load) throw new HoldfastError('arguments', `${name} is not part of this version of Holdfast.`)
      const { open } = await load()
      const service = options.service ?? serviceFrom(process.env, id)
      const backend = await open(address.values, service === undefined ? options : { ...options, service })
      return withContinuing(backend, options.uploadJournal)
    }
    case 'faulty': {
      const { withFaults, parseFaultPlan } = await import('./wrappers/faulty/faulty.ts')
      const plan = parseFaultPlan(address.faults)
      return withFaults(await openAddress(address.inner, options), plan, options.clock)
    }
    default:
      return assertNever(address)
  }
}
