import type { AccountOwner } from '../../accounts/owner.ts'
import type { TokenOwner } from '../../accounts/tokens.ts'
import type { Clock } from '../../base/clock.ts'
import type { AccessToken, AccountReference } from '../../protocol/accounts.ts'

/** The accounts of the command line, opened when a storage asks for a token: most have none. */
export class LazyAccounts implements TokenOwner, AsyncDisposable {
  readonly #home: string
  readonly #environment: Readonly<Record<string, string | undefined>>
  readonly #clock: Clock
  #opened: Promise<AccountOwner> | undefined

  constructor(home: string, environment: Readonly<Record<string, string | undefined>>, clock: Clock) {
    this.#home = home
    this.#environment = environment
    this.#clock = clock
  }

  async token(account: AccountReference, rejected: string | undefined, signal: AbortSignal): Promise<AccessToken> {
    this.#opened ??= import('./owner.ts').then(({ openAccounts }) => openAccounts(this.#home, this.#environment, this.#clock))
    return (await this.#opened).token(account, rejected, signal)
  }

  /** A renewal that goes on comes to its end: its new tokens have to be kept. */
  async [Symbol.asyncDispose](): Promise<void> {
    await (await this.#opened)?.[Symbol.asyncDispose]()
  }
}
