import type { Credentials, CredentialSource } from '../backend/credentials.ts'
import { throwIfAborted, unlessAborted } from '../base/abort.ts'
import type { Clock } from '../base/clock.ts'
import type { AccessToken, AccountReference } from '../protocol/accounts.ts'
import { markOf, type TokenOwner } from './tokens.ts'

/** A token that ends sooner is not used any more: a request may wait for its turn before it leaves. */
const marginMs = 60_000

/**
 * The credentials of an account: `accessToken`, asked of its owner when the one at hand ends or is refused. However many transfers ask at
 * once, the owner is asked once.
 */
export class AccountCredentials implements CredentialSource {
  readonly #owner: TokenOwner
  readonly #account: AccountReference
  readonly #clock: Clock
  readonly #gone: AbortSignal
  #token: AccessToken | undefined
  readonly #asking = new Map<string | undefined, Promise<AccessToken>>()

  /** @param gone fires when nobody needs the credentials any more; one's own signal ends only one's own wait. */
  constructor(owner: TokenOwner, account: AccountReference, clock: Clock, gone: AbortSignal) {
    this.#owner = owner
    this.#account = account
    this.#clock = clock
    this.#gone = gone
  }

  async current(signal: AbortSignal): Promise<Credentials> {
    throwIfAborted(signal)
    const token = this.#token
    if (token && token.expiresMs - marginMs > this.#clock.now()) return credentialsOf(token)
    return credentialsOf(await unlessAborted(this.#ask(undefined), signal))
  }

  async renew(rejected: Credentials, signal: AbortSignal): Promise<Credentials> {
    throwIfAborted(signal)
    const refused = rejected['accessToken']
    if (refused === undefined || (this.#token && this.#token.accessToken !== refused)) return this.current(signal)
    return credentialsOf(await unlessAborted(this.#ask(markOf(refused)), signal))
  }

  #ask(rejected: string | undefined): Promise<AccessToken> {
    const asked = this.#asking.get(rejected)
    if (asked) return asked
    const asking = this.#owner.token(this.#account, rejected, this.#gone)
      .then((token) => (this.#token = token))
      .finally(() => this.#asking.delete(rejected))
    this.#asking.set(rejected, asking)
    return asking
  }
}

function credentialsOf({ accessToken }: AccessToken): Credentials {
  return { accessToken }
}
