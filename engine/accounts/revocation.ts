import { HoldfastError } from '../base/errors.ts'
import type { KeptTokens } from './account.ts'
import type { AppKey } from './app-key.ts'
import { exchange, type SmallRequest } from './http.ts'
import type { SignInService } from './services.ts'

/** Asks a service to forget a consent. @returns whether it has; false where it has no address for that, or did not answer. Errors: aborted. */
export async function revokeConsent(service: SignInService, key: AppKey | undefined, tokens: KeptTokens, signal: AbortSignal): Promise<boolean> {
  const request = requestOf(service, key, tokens)
  if (!request) return false
  try {
    return (await exchange(`signing out of ${service.name}`, request, signal)).status === 200
  } catch (error) {
    if (error instanceof HoldfastError && error.code !== 'aborted') return false
    throw error
  }
}

function requestOf({ revoke }: SignInService, key: AppKey | undefined, { access, refresh: [refresh] }: KeptTokens): SmallRequest | undefined {
  if (!revoke) return undefined
  const { address } = revoke
  switch (revoke.with) {
    case 'bearer':
      return access === undefined ? undefined : { method: 'POST', address, accessToken: access }
    case 'token':
      return refresh === undefined ? undefined : { method: 'POST', address, form: { token: refresh } }
    case 'client-and-token':
      return refresh === undefined || key?.secret === undefined ? undefined : { method: 'POST', address, form: { token: refresh, client_id: key.id, client_secret: key.secret } }
  }
}
