import { readFileSync } from 'node:fs'
import { isSameName, pickAccount, type Account } from '../../engine/accounts/account.ts'
import { AccountFile } from '../../engine/accounts/account-file.ts'
import { answerEngine } from '../../engine/accounts/answer.ts'
import { appKeyFor, parseBuiltKeys, type AppKey, type BuiltKeys } from '../../engine/accounts/app-key.ts'
import { engineClock, wireErrorOf } from '../../engine/accounts/door.ts'
import { AccountOwner, type NewAccount } from '../../engine/accounts/owner.ts'
import { serviceName, signInKinds, signInService } from '../../engine/accounts/services.ts'
import { signIn } from '../../engine/accounts/sign-in.ts'
import { accountOf, countsUnder } from '../../engine/accounts/source.ts'
import type { AccountReference, TokenAnswer } from '../../engine/protocol/accounts.ts'
import { addressesOf, type EngineJob } from '../../engine/protocol/job.ts'
import type { AccountsView, AccountView, MissingAccount, SignInKind, WireError } from '../api/contract.ts'
import { EngineError, MainError } from '../api/errors.ts'
import type { SecretCipher } from '../settings/ciphers.ts'
import { sealedCodec } from './codec.ts'

export interface AccountPorts {
  readonly path: string
  readonly ciphers: readonly [SecretCipher, ...SecretCipher[]]
  /** What a build was given: see README, "Signing in with an app of your own". */
  readonly builtKeysFile: string
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Opens an address in the system's browser. */
  readonly openBrowser: (address: string) => Promise<void>
  readonly log: (level: 'info' | 'warning', message: string) => void
  readonly onChange: () => void
  /** Somebody signed in: jobs that waited for that can go on. */
  readonly onSignedIn: () => void
}

const never = new AbortController().signal
/** A renewal that goes on when the app quits is let come to its end: a service may have given out what it gives once. */
const quitPatienceMs = 10_000

/** The app's accounts, of which main is the one owner: who is signed in, one sign-in at a time, and tokens for engines. */
export class Accounts {
  readonly #ports: AccountPorts
  readonly #file: AccountFile
  readonly #owner: AccountOwner
  readonly #builtKeys: BuiltKeys
  readonly #told = new Set<string>()
  #signingIn: { readonly service: SignInKind; readonly stop: AbortController } | undefined

  private constructor(ports: AccountPorts) {
    this.#ports = ports
    this.#builtKeys = builtKeys(ports)
    // The app runs once for each home, so that only requests of its own have to wait for each other.
    const unlocked = { [Symbol.dispose]: () => undefined }
    this.#file = new AccountFile({ path: ports.path, codec: sealedCodec(ports.ciphers), lock: () => Promise.resolve(unlocked) })
    this.#owner = new AccountOwner({
      store: this.#file,
      clock: engineClock,
      service: (kind) => signInService(kind, ports.environment),
      appKey: (service) => appKeyFor(service, ports.environment, this.#builtKeys),
      onChange: ports.onChange,
    })
  }

  /** Reads who is signed in. A file that cannot be read is told in the log, and again whenever a token is asked for. */
  static async open(ports: AccountPorts): Promise<Accounts> {
    const accounts = new Accounts(ports)
    await accounts.#file.read().catch((error: unknown) => { ports.log('warning', `accounts: ${wireErrorOf(error).message}`) })
    return accounts
  }

  get view(): AccountsView {
    const signingIn = this.#signingIn?.service
    return {
      list: this.#file.known.map(viewOf),
      available: signInKinds.filter((kind) => this.#hasKey(kind)),
      ...(signingIn !== undefined && { signingIn }),
    }
  }

  /** The account that the storage at an address waits for somebody to sign in to; undefined where nothing is amiss, or none is needed. */
  missing(address: string): MissingAccount | undefined {
    const wanted = accountOf(address)
    if (!wanted) return undefined
    const ours = this.#file.known.filter((one) => one.service === wanted.service)
    const { name } = wanted
    const found = name === undefined ? (ours.length === 1 ? ours[0] : undefined) : ours.find((one) => isSameName(one.name, name))
    // Which of several is meant is no matter of signing in.
    if (name === undefined && ours.length > 1) return undefined
    if (found?.state === 'signed-in') return undefined
    const account = found?.name ?? name
    return { service: wanted.service, ...(account !== undefined && { account }) }
  }

  /** Whether an error has yet to be told to a person: that somebody has to sign in to an account is told once, however many jobs wait for it. */
  isNews(error: WireError | undefined): boolean {
    if (error?.data?.['signIn'] !== true) return true
    const key = `${String(error.data['service'])} ${String(error.data['account'])}`
    const isNews = !this.#told.has(key)
    this.#told.add(key)
    return isNews
  }

  /** A token for a job's engine: of an account that one of its addresses names. Never rejects. */
  token(job: EngineJob, account: AccountReference, rejected: string | undefined): Promise<TokenAnswer> {
    return answerEngine(this.#owner, addressesOf(job), account, rejected, never)
  }

  /** An address that names no account means the only one there is, and one name has many spellings: all of them have one key. @param key the storage's own */
  sharedKey(job: EngineJob, key: string): string {
    const own = addressesOf(job).find((address) => countsUnder(address, key))
    const wanted = own === undefined ? undefined : accountOf(own)
    if (!wanted) return key
    try {
      return `${key.slice(0, key.indexOf(':'))}:${pickAccount(this.#file.known, wanted).name}`
    } catch {
      // Nobody is signed in, and nothing will be transferred.
      return key
    }
  }

  /**
   * Opens the service's page in the browser and waits until somebody has come back. Another sign-in that still waits is given up. Errors: those of
   * signIn; `denied` where it is not the account that was to be signed in to again.
   */
  async signIn(kind: SignInKind, again: string | undefined): Promise<AccountView> {
    this.cancelSignIn()
    const signingIn = { service: kind, stop: new AbortController() }
    try {
      const service = signInService(kind, this.#ports.environment)
      const key: AppKey = appKeyFor(service, this.#ports.environment, this.#builtKeys)
      this.#signingIn = signingIn
      this.#ports.onChange()
      const onAddress = (_page: string, begin: string): void => {
        this.#ports.openBrowser(begin).catch((error: unknown) => { signingIn.stop.abort(noBrowser(error)) })
      }
      const known = again !== undefined && this.#file.known.some((one) => one.service === kind && isSameName(one.name, again))
      const wanted = again === undefined ? {} : known ? { again } : { name: again }
      const account = viewOf(await signIn({ service, key, clock: engineClock, onAddress }, (found) => {
        if (again !== undefined && !known) expectLogin(again, found)
        return this.#owner.add(found, wanted)
      }, signingIn.stop.signal))
      this.#ports.log('info', `signed in to ${service.name}`)
      this.#told.clear()
      this.#ports.onSignedIn()
      return account
    } catch (error) {
      throw toMain(error)
    } finally {
      if (this.#signingIn === signingIn) this.#signingIn = undefined
      this.#ports.onChange()
    }
  }

  /** Without effect where none goes on. */
  cancelSignIn(): void {
    this.#signingIn?.stop.abort(new MainError('aborted', 'The sign-in was given up.', { declined: true }))
  }

  /** Forgets the account, and asks the service to do the same. Errors: `credentials` (there is none). */
  async signOut(reference: AccountReference): Promise<void> {
    try {
      const { revoked } = await this.#owner.remove(reference, never)
      this.#ports.log('info', `signed out of ${serviceName(reference.service)}${revoked ? '' : '; the service was not told'}`)
    } catch (error) {
      throw toMain(error)
    }
  }

  /** Lets renewals that go on come to their end, within reason. */
  async close(): Promise<void> {
    this.cancelSignIn()
    let late: ReturnType<typeof setTimeout> | undefined
    const patience = new Promise<void>((resolve) => { late = setTimeout(resolve, quitPatienceMs) })
    await Promise.race([this.#owner[Symbol.asyncDispose](), patience])
    clearTimeout(late)
  }

  #hasKey(kind: SignInKind): boolean {
    try {
      appKeyFor(signInService(kind, this.#ports.environment), this.#ports.environment, this.#builtKeys)
      return true
    } catch {
      return false
    }
  }
}

/** Of an account that is not here any more, its name is all that is known: one that is an e-mail address says whose it was. */
function expectLogin(name: string, { login }: NewAccount): void {
  if (!name.includes('@') || isSameName(name, login)) return
  throw new MainError('denied', `The account was ${name}, but you signed in as ${login}. Nothing was changed.`, { reason: 'other-account', found: login })
}

function viewOf({ service, name, login, signedInMs, state }: Account): AccountView {
  return { service, name, login, signedInMs, state }
}

function builtKeys({ builtKeysFile, log }: AccountPorts): BuiltKeys {
  try {
    return parseBuiltKeys(readFileSync(builtKeysFile, 'utf8'))
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) log('warning', wireErrorOf(error).message)
    return {}
  }
}

function noBrowser(error: unknown): MainError {
  return new MainError('unsupported', `No browser could be opened: ${error instanceof Error ? error.message : String(error)}`, { reason: 'browser' })
}

/** The signal's reason is ours already. */
function toMain(error: unknown): Error {
  const cause = error instanceof Error ? error.cause : undefined
  if (error instanceof MainError) return error
  return cause instanceof MainError ? cause : new EngineError(wireErrorOf(error))
}
