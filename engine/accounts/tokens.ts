import { createHash } from 'node:crypto'
import type { AccessToken, AccountReference } from '../protocol/accounts.ts'

/** Who keeps accounts and knows how to get tokens for them. In an engine process it asks main. */
export interface TokenOwner {
  /**
   * A token that is good now, as far as is known. Many may ask at once; whoever names the same refused token gets the same new one.
   * Errors: credentials (nobody is signed in, or somebody has to sign in again: `data.signInAgain`), arguments (it is not said which of
   * several accounts is meant), offline, unavailable, throttled, aborted.
   * @param rejected the mark of a token that the storage has refused
   */
  token(account: AccountReference, rejected: string | undefined, signal: AbortSignal): Promise<AccessToken>
}

/** Tells a token from others and says nothing of it: what is sent and logged in its place. */
export function markOf(accessToken: string): string {
  return createHash('sha256').update('holdfast-token\n').update(accessToken).digest('hex').slice(0, 24)
}
