import { hasCode, type HoldfastError } from '../base/errors.ts'
import type { AccessToken } from '../protocol/accounts.ts'
import { noTokens, signInAgain, type Account } from './account.ts'
import { renewTokens, type TokenClientOptions } from './token-client.ts'
import { markOf } from './tokens.ts'

/** A token that ends sooner is renewed before it is handed out. */
const marginMs = 5 * 60_000

/** The account's token where it is good for a while, and not the one that the storage refused. */
export function usableToken({ tokens: { access, expiresMs = 0 } }: Account, rejected: string | undefined, nowMs: number): AccessToken | undefined {
  if (access === undefined || expiresMs - marginMs <= nowMs || markOf(access) === rejected) return undefined
  return { accessToken: access, expiresMs }
}

export interface Renewed {
  /** To be on disk before anything in it is used. */
  readonly account: Account
  readonly token?: AccessToken
  /** Why there is no token: the consent is over. */
  readonly ended?: HoldfastError
}

/**
 * New tokens of an account. The newest refresh token is tried, then the one before it: where the newest was lost on its way to disk, some
 * services (Microsoft) still take that. Errors: offline, unavailable, throttled, credentials (the app's key): the account is as it was.
 */
export async function renewAccount(account: Account, options: TokenClientOptions, signal: AbortSignal): Promise<Renewed> {
  let cause: HoldfastError | undefined
  for (const used of account.tokens.refresh) {
    try {
      const { accessToken: access, expiresMs, refreshToken = used } = await renewTokens(options, used, signal)
      const refresh = [...new Set([refreshToken, used])]
      return { account: { ...account, tokens: { refresh, access, expiresMs } }, token: { accessToken: access, expiresMs } }
    } catch (error) {
      if (!hasCode(error, 'credentials') || error.data['reason'] !== 'ended') throw error
      cause ??= error
    }
  }
  return { account: { ...account, state: 'sign-in-again', tokens: noTokens }, ended: signInAgain(account, cause) }
}
