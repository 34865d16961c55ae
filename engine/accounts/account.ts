import { HoldfastError } from '../base/errors.ts'
import type { AccountReference } from '../protocol/accounts.ts'
import type { SignInKind } from '../protocol/providers/description.ts'
import { serviceName } from './services.ts'

/** An account as its owner keeps it. */
export interface Account {
  readonly service: SignInKind
  /** What addresses call it (`?account=`); one of each name, whatever its case, for a service. */
  readonly name: string
  /** The service's own id and name of it. */
  readonly id: string
  readonly login: string
  readonly signedInMs: number
  /** By which app key somebody signed in: with another, its tokens are worth nothing. */
  readonly appKey: string
  /** `sign-in-again`: the consent is over, and a person has to act. */
  readonly state: 'signed-in' | 'sign-in-again'
  readonly tokens: KeptTokens
}

export interface KeptTokens {
  /** The newest first, and the one before: some services still take that where the newest was lost on its way. */
  readonly refresh: readonly string[]
  readonly access?: string
  /** Of `access`, in milliseconds since 1970. */
  readonly expiresMs?: number
}

export const noTokens: KeptTokens = { refresh: [] }

/** Names are typed, stand in addresses, and are shown: 1–128 characters without control characters, and no blanks around them. */
export function isAccountName(name: string): boolean {
  return name.length <= 128 && name === name.trim() && /^[^\p{C}\p{Zl}\p{Zp}]+$/u.test(name)
}

export function isSameName(a: string, b: string): boolean {
  return a.normalize('NFC').toLowerCase() === b.normalize('NFC').toLowerCase()
}

/** The account that is meant. Errors: credentials (nobody is signed in, or not by that name), arguments (several, and no name). */
export function pickAccount(accounts: readonly Account[], { service, name }: AccountReference): Account {
  const ours = accounts.filter((one) => one.service === service)
  const title = serviceName(service)
  const [first] = ours
  const data = { service, ...(name !== undefined && { account: name }) }
  if (!first) throw new HoldfastError('credentials', `Nobody is signed in to ${title}.`, { data: { ...data, reason: 'nobody', signIn: true } })
  const listed = ours.map((one) => `"${one.name}"`).join(', ')
  if (name === undefined) {
    if (ours.length === 1) return first
    throw new HoldfastError('arguments', `There are several ${title} accounts; say which with account= in the address: ${listed}.`, { data: { ...data, reason: 'several' } })
  }
  const found = ours.find((one) => isSameName(one.name, name))
  if (found) return found
  throw new HoldfastError('credentials', `Nobody is signed in to the ${title} account "${name}"; there is ${listed}.`, { data: { ...data, reason: 'nobody', signIn: true } })
}

/** A person has to act, and nothing is tried until then. */
export function signInAgain(account: Pick<Account, 'service' | 'name'>, cause?: unknown): HoldfastError {
  return new HoldfastError('credentials', `${serviceName(account.service)} does not let Holdfast into the account "${account.name}" any more: its consent was withdrawn, or has ended.`, {
    ...(cause === undefined ? {} : { cause }),
    data: { service: account.service, account: account.name, reason: 'ended', signIn: true, advice: `Sign in to ${serviceName(account.service)} again.` },
  })
}
