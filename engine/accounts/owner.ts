import { throwIfAborted, unlessAborted } from '../base/abort.ts'
import type { Clock } from '../base/clock.ts'
import { HoldfastError } from '../base/errors.ts'
import type { AccessToken, AccountReference } from '../protocol/accounts.ts'
import type { SignInKind } from '../protocol/providers/description.ts'
import { isSameName, pickAccount, signInAgain, type Account } from './account.ts'
import type { AccountStore } from './account-file.ts'
import type { AppKey } from './app-key.ts'
import { renewAccount, usableToken } from './renewal.ts'
import { revokeConsent } from './revocation.ts'
import { serviceName, type SignInService } from './services.ts'
import { markOf, type TokenOwner } from './tokens.ts'

export interface OwnerPorts {
  readonly store: AccountStore
  readonly clock: Clock
  /** Errors: arguments. */
  readonly service: (kind: SignInKind) => SignInService
  /** Errors: unsupported (there is none), arguments. */
  readonly appKey: (service: SignInService) => AppKey
  /** An account came, went, or has to be signed in to again. */
  readonly onChange?: () => void
}

/** What a sign-in brought. */
export type NewAccount = Omit<Account, 'name' | 'state' | 'signedInMs'>

/** What was to be signed in to: an account by this name, or the same as before. */
export interface Wanted {
  readonly name?: string
  readonly again?: string
}

/** A renewal that began goes on whoever stops waiting: the service has perhaps given out what it gives once. */
const never = new AbortController().signal

/**
 * The one owner of accounts: renews their tokens, one renewal at a time, whoever asks and in however many processes; what is new is on disk before
 * anybody gets it. A consent that is over is told and remembered: nothing asks the service again until somebody signs in.
 */
export class AccountOwner implements TokenOwner, AsyncDisposable {
  readonly #ports: OwnerPorts
  readonly #renewing = new Map<string, Promise<AccessToken>>()
  /** Accounts whose new tokens the disk did not take: used by nobody, and stored with the next try. */
  readonly #unsaved = new Map<string, Account>()

  constructor(ports: OwnerPorts) {
    this.#ports = ports
  }

  async token(reference: AccountReference, rejected: string | undefined, signal: AbortSignal): Promise<AccessToken> {
    throwIfAborted(signal)
    const account = pickAccount(await this.#ports.store.read(), reference)
    if (account.state === 'sign-in-again') throw signInAgain(account)
    const kept = this.#unsaved.has(keyOf(account)) ? undefined : usableToken(account, rejected, this.#ports.clock.now())
    if (kept) return kept
    const renewed = await unlessAborted(this.#renewal(account, rejected), signal)
    // The renewal that was joined had begun before the storage refused what it brought.
    return markOf(renewed.accessToken) === rejected ? unlessAborted(this.#renewal(account, rejected), signal) : renewed
  }

  /**
   * Takes in an account that somebody signed in to; one that is here already gets the new tokens. Errors: exists (the name is another account's),
   * denied (it is not the one that was to be signed in to again), those of the disk.
   */
  async add(found: NewAccount, wanted: Wanted): Promise<Account> {
    const added = await this.#ports.store.change(async (accounts, write) => {
      const same = accounts.find((one) => keyOf(one) === keyOf(found))
      if (wanted.again !== undefined) expectSame(pickAccount(accounts, { service: found.service, name: wanted.again }), found)
      const name = wanted.name ?? same?.name ?? freeName(accounts, found)
      const holder = accounts.find((one) => one !== same && one.service === found.service && isSameName(one.name, name))
      if (holder) throw new HoldfastError('exists', `"${name}" is another ${serviceName(found.service)} account (${holder.login}). Give this one another name, or sign out of that one.`)
      const account: Account = { ...found, name, state: 'signed-in', signedInMs: this.#ports.clock.now() }
      await write(same ? accounts.map((one) => (one === same ? account : one)) : [...accounts, account])
      this.#unsaved.delete(keyOf(account))
      return account
    })
    this.#ports.onChange?.()
    return added
  }

  /**
   * Signs out: the account is forgotten here, then the service is asked to forget it. Errors: those of pickAccount and of the disk, aborted.
   * @returns whether the service has; otherwise it is done on its own pages
   */
  async remove(reference: AccountReference, signal: AbortSignal): Promise<{ readonly account: Account; readonly revoked: boolean }> {
    const service = this.#ports.service(reference.service)
    // What takes the consent back has to be good itself. Without one the account is forgotten all the same.
    const fresh = service.revoke?.with === 'bearer' ? await this.token(reference, undefined, signal).catch(() => undefined) : undefined
    const account = await this.#ports.store.change(async (accounts, write) => {
      const found = pickAccount(accounts, reference)
      await write(accounts.filter((one) => one !== found))
      this.#unsaved.delete(keyOf(found))
      return found
    })
    this.#ports.onChange?.()
    const tokens = { ...account.tokens, ...(fresh && { access: fresh.accessToken }) }
    return { account, revoked: await revokeConsent(service, this.#keyIfAny(service), tokens, signal) }
  }

  /** Waits for renewals that go on: what they bring has to come to disk. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#renewing.values())
  }

  #renewal(account: Account, rejected: string | undefined): Promise<AccessToken> {
    const key = keyOf(account)
    const going = this.#renewing.get(key)
    if (going) return going
    const renewal = this.#renew(account, rejected).finally(() => this.#renewing.delete(key))
    this.#renewing.set(key, renewal)
    return renewal
  }

  async #renew(wanted: Account, rejected: string | undefined): Promise<AccessToken> {
    const { clock, store } = this.#ports
    const service = this.#ports.service(wanted.service)
    const key = this.#ports.appKey(service)
    const { token, ended } = await store.change(async (accounts, write) => {
      const account = await this.#newest(accounts, wanted, write)
      // Another process was faster.
      const kept = usableToken(account, rejected, clock.now())
      if (kept) return { token: kept }
      if (account.state === 'sign-in-again') return { ended: signInAgain(account) }
      expectSameKey(account, key)
      const renewed = await renewAccount(account, { service, key, clock }, never)
      await this.#replace(accounts, renewed.account, write)
      return renewed
    })
    if (token) return token
    this.#ports.onChange?.()
    throw ended ?? signInAgain(wanted)
  }

  /** The account as it is now, after what the disk did not take the last time is stored. Errors: credentials (it is gone), those of the disk. */
  async #newest(accounts: readonly Account[], wanted: Account, write: Write): Promise<Account> {
    const stored = accounts.find((one) => keyOf(one) === keyOf(wanted))
    if (!stored) throw new HoldfastError('credentials', `Nobody is signed in to the ${serviceName(wanted.service)} account "${wanted.name}" any more.`, { data: { service: wanted.service, account: wanted.name, signIn: true } })
    const unsaved = this.#unsaved.get(keyOf(wanted))
    if (unsaved) await this.#replace(accounts, unsaved, write)
    return unsaved ?? stored
  }

  async #replace(accounts: readonly Account[], changed: Account, write: Write): Promise<void> {
    const key = keyOf(changed)
    this.#unsaved.set(key, changed)
    await write(accounts.map((one) => (keyOf(one) === key ? changed : one)))
    this.#unsaved.delete(key)
  }

  #keyIfAny(service: SignInService): AppKey | undefined {
    try {
      return this.#ports.appKey(service)
    } catch {
      return undefined
    }
  }
}

type Write = (accounts: readonly Account[]) => Promise<void>

function keyOf({ service, id }: Pick<Account, 'service' | 'id'>): string {
  return `${service} ${id}`
}

function freeName(accounts: readonly Account[], { service, login }: NewAccount): string {
  const taken = (name: string): boolean => accounts.some((one) => one.service === service && isSameName(one.name, name))
  for (let number = 1; ; number++) {
    const name = number === 1 ? login : `${login} ${number}`
    if (!taken(name)) return name
  }
}

function expectSame(account: Account, found: NewAccount): void {
  if (account.id === found.id) return
  throw new HoldfastError('denied', `The account "${account.name}" is ${account.login}, but you signed in as ${found.login}. Nothing was changed.`, {
    data: { reason: 'other-account', service: account.service, account: account.name, found: found.login },
  })
}

function expectSameKey(account: Account, key: AppKey): void {
  if (account.appKey === key.id) return
  throw new HoldfastError('credentials', `The account "${account.name}" was signed in to with another app key than the one that is set now.`, {
    data: { reason: 'other-app-key', service: account.service, account: account.name, signIn: true, advice: 'Set the app key of before, or sign in again.' },
  })
}
