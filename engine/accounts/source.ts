import { parseAddress, type BackendAddress } from '../backend/address.ts'
import { fixedCredentials, type Credentials, type CredentialSource } from '../backend/credentials.ts'
import type { Clock } from '../base/clock.ts'
import { HoldfastError } from '../base/errors.ts'
import type { AccountReference } from '../protocol/accounts.ts'
import { AccountCredentials } from './credentials.ts'
import type { TokenOwner } from './tokens.ts'

/** The account that an address lives on; undefined where its storage has no sign-in, and for what is no address. */
export function accountOf(address: string): AccountReference | undefined {
  const read = bare(parsed(address))
  if (read?.type !== 'provider' || read.provider.signIn === undefined) return undefined
  const { account: name } = read.values
  return { service: read.provider.signIn, ...(name !== undefined && { name }) }
}

/** Whether the storage at an address lives on an account, and counts its transfers under this key (BackendTraits). */
export function countsUnder(address: string, key: string): boolean {
  const read = bare(parsed(address))
  return read?.type === 'provider' && read.provider.signIn !== undefined && key === `${read.provider.id}:${read.values['account'] ?? ''}`
}

function parsed(address: string): BackendAddress | undefined {
  try {
    return parseAddress(address)
  } catch {
    // Whoever opens it says what is wrong.
    return undefined
  }
}

function bare(address: BackendAddress | undefined): BackendAddress | undefined {
  return address?.type === 'faulty' ? bare(address.inner) : address
}

export interface SourceOptions {
  /** What somebody entered for the address. */
  readonly entered: Credentials
  readonly owner: TokenOwner | undefined
  readonly clock: Clock
  /** Fires when the storage is not used any more. */
  readonly signal: AbortSignal
}

/** Where the storage at an address gets its credentials: of the account that somebody signed in to, or what was entered. */
export function credentialSource(address: string, { entered, owner, clock, signal }: SourceOptions): CredentialSource {
  const account = accountOf(address)
  return account ? new AccountCredentials(owner ?? nobody, account, clock, signal) : fixedCredentials(entered)
}

const nobody: TokenOwner = {
  token: () => Promise.reject(new HoldfastError('credentials', 'Nobody is signed in here.')),
}
