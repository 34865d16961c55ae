import { HoldfastError } from '../base/errors.ts'

/** What a storage asks for, by the names of its description's secrets; of an account that a person signed in to: `accessToken`. */
export type Credentials = Readonly<Record<string, string>>

/** Where a backend gets its credentials from. It keeps none: they may change while it runs. */
export interface CredentialSource {
  /** What is good now, as far as is known. Errors: credentials, offline, aborted. */
  current(signal: AbortSignal): Promise<Credentials>
  /**
   * Others, after the storage refused these. Whoever asks for the same refused ones gets the same new ones: any number may ask at once.
   * Errors: credentials (there are no others; a person has to act), offline, aborted.
   */
  renew(rejected: Credentials, signal: AbortSignal): Promise<Credentials>
}

/** Keys that somebody entered: there are no others. */
export function fixedCredentials(credentials: Credentials): CredentialSource {
  return {
    current: () => Promise.resolve(credentials),
    renew: () => Promise.reject(new HoldfastError('credentials', 'The storage refuses the credentials. Check them, and enter them again.')),
  }
}
