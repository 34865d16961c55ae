import type { WireError } from './errors.ts'
import type { SignInKind } from './providers/description.ts'

/** An account that somebody signed in to, as an address names it; without a name the only one of the service is meant. */
export interface AccountReference {
  readonly service: SignInKind
  readonly name?: string
}

/** What a storage takes for a while. The token that brings new ones never leaves its owner. */
export interface AccessToken {
  readonly accessToken: string
  /** Milliseconds since 1970. */
  readonly expiresMs: number
}

/** The owner's answer to an engine. */
export type TokenAnswer =
  | { readonly type: 'token'; readonly token: AccessToken }
  | { readonly type: 'refused'; readonly error: WireError }
