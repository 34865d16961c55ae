import { InvalidArgumentError, type Command } from 'commander'
import { createInterface } from 'node:readline/promises'
import { pickAccount, type Account } from '../../accounts/account.ts'
import { serviceName, signInKinds } from '../../accounts/services.ts'
import { HoldfastError } from '../../base/errors.ts'
import type { NamedAccount } from '../accounts/uses.ts'
import type { SignInKind } from '../../protocol/providers/description.ts'
import { exitCodes } from '../exit-codes.ts'
import type { Ending, PlainInvocation } from '../execute.ts'
import { formatTable, formatTime } from '../format.ts'
import type { ProgramBuilder } from '../program.ts'
import type { PlainOptions } from '../settings.ts'
import { parseAccountName, parseText } from '../values.ts'

interface LoginOptions extends PlainOptions {
  readonly name?: string
  /** False with `--no-browser`. */
  readonly browser: boolean
}

interface LogoutOptions extends PlainOptions {
  readonly yes?: true
}

/** `login`, `logout` and `accounts`. */
export function addAccounts(program: Command, builder: ProgramBuilder): void {
  const login = builder
    .plainCommand('login', 'sign in to a cloud account, in the browser', ['login dropbox', 'login google --name family', 'login box --no-browser'])
    .argument('<service>', `one of ${signInKinds.join(', ')}`, parseService)
    .option('--name <name>', 'what addresses call the account (?account=); by default as the service does', parseAccountName)
    .option('--no-browser', 'only print the address to open')
  login.action(async (service: SignInKind, options: LoginOptions) => {
    await builder.runPlain(options, (invocation) => signInto(invocation, service, options))
  })
  program.addCommand(login)
  const logout = builder
    .plainCommand('logout', 'sign out of an account: backups to it no longer run here', ['logout anna@example.org', 'logout dropbox', 'logout google/family'])
    .argument('<account>', 'its name, its service, or both: dropbox/name', parseText)
    .option('--yes', 'also where backups need the account, without a question')
  logout.action(async (account: string, options: LogoutOptions) => {
    await builder.runPlain(options, (invocation) => signOut(invocation, account, options))
  })
  program.addCommand(logout)
  const list = builder.plainCommand('accounts', 'list the accounts that are signed in to', ['accounts', 'accounts --json'])
  list.action(async (options: PlainOptions) => {
    await builder.runPlain(options, listAccounts)
  })
  program.addCommand(list)
}

function parseService(text: string): SignInKind {
  const found = signInKinds.find((kind) => kind === text.toLowerCase())
  if (!found) throw new InvalidArgumentError(`Sign in to one of ${signInKinds.join(', ')}. Other storages take keys or passwords.`)
  return found
}

async function signInto({ output, home, environment, clock, signal }: PlainInvocation, kind: SignInKind, { name, browser }: LoginOptions): Promise<Ending> {
  const [{ openAccounts, accountParts }, { signIn }, { openBrowser }] = await Promise.all([import('../accounts/owner.ts'), import('../../accounts/sign-in.ts'), import('../accounts/browser.ts')])
  await using owner = openAccounts(home, environment, clock)
  const { service, key } = accountParts(kind, environment)
  using pasted = pastedAddress(signal)
  const onAddress = (page: string, begin: string): void => {
    const opened = browser && openBrowser(begin, process.env)
    output.record({ type: 'sign-in', service: kind, address: page }, ...addressLines(service.name, page, opened, pasted.possible))
  }
  const account = await signIn({ service, key, clock, onAddress, ...(pasted.address && { pasted: pasted.address }) }, (found) => owner.add(found, name === undefined ? {} : { name }), signal)
  return {
    exitCode: exitCodes.success,
    json: { operation: 'login', outcome: 'success', ...accountJson(account) },
    text: [`Signed in to ${service.name} as ${account.login}.${account.name === account.login ? '' : ` Addresses call it account=${encodeURIComponent(account.name)}.`}`],
  }
}

function addressLines(service: string, page: string, opened: boolean, mayPaste: boolean): string[] {
  return [
    opened ? `Your browser opens the page of ${service}. If it does not, open this address:` : `Open this address in a browser on this machine to sign in to ${service}:`,
    `  ${page}`,
    ...(mayPaste ? ['With a browser on another machine: allow it there, then paste the address of the page that it ends at (it shows an error) and press Enter.'] : []),
  ]
}

interface Pasted extends Disposable {
  readonly possible: boolean
  readonly address?: Promise<string>
}

/** What somebody enters in the terminal; nothing where there is none. */
function pastedAddress(signal: AbortSignal): Pasted {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return { possible: false, [Symbol.dispose]: () => undefined }
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false })
  // A terminal that is closed enters nothing.
  const address = lines.question('', { signal }).catch(() => new Promise<never>(() => undefined))
  return { possible: true, address, [Symbol.dispose]: () => { lines.close() } }
}

async function signOut({ output, home, environment, clock, signal }: PlainInvocation, text: string, { yes, json }: LogoutOptions): Promise<Ending> {
  const [{ openAccounts, readAccounts }, { usesOf, useLines }] = await Promise.all([import('../accounts/owner.ts'), import('../accounts/uses.ts')])
  await using owner = openAccounts(home, environment, clock)
  const reference = meant(await readAccounts(home), text)
  const uses = await usesOf(home, reference)
  const lines = useLines(uses, reference)
  if (lines.length > 0) output.record({ type: 'in-use', service: reference.service, name: reference.name, ...uses }, ...lines)
  if (!yes && lines.length > 0) await agree(json === true, signal)
  const { account, revoked } = await owner.remove(reference, signal)
  const name = serviceName(account.service)
  return {
    exitCode: exitCodes.success,
    json: { operation: 'logout', outcome: 'success', ...accountJson(account), revoked },
    text: [`Signed out of the ${name} account "${account.name}".`, ...(revoked ? [] : [`${name} may still list Holdfast among the apps that it lets in: remove it there, in the settings of your account.`])],
  }
}

/** Errors: arguments (nobody is there to agree), aborted (somebody did not). */
async function agree(isJson: boolean, signal: AbortSignal): Promise<void> {
  if (isJson || !process.stdin.isTTY || !process.stderr.isTTY) {
    throw new HoldfastError('arguments', 'The account is in use: nobody was signed out.', { data: { advice: 'To sign out all the same, add --yes.' } })
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr })
  try {
    const answer = await terminal.question('Sign out? [y/N] ', { signal })
    if (!/^y(es)?$/i.test(answer.trim())) throw new HoldfastError('aborted', 'Nobody was signed out.', { data: { advice: 'Everything is as it was.' } })
  } finally {
    terminal.close()
  }
}

/** By name, by service, or `service/name`. Errors: arguments (several), credentials (none). */
function meant(accounts: readonly Account[], text: string): NamedAccount {
  const named = accounts.filter((one) => one.name.toLowerCase() === text.toLowerCase())
  const [only] = named
  if (only && named.length === 1) return { service: only.service, name: only.name }
  if (named.length > 1) throw new HoldfastError('arguments', `There are several accounts of this name: ${named.map((one) => `${one.service}/${one.name}`).join(', ')}.`)
  const kind = signInKinds.find((one) => text === one || text.startsWith(`${one}/`))
  if (!kind) {
    const there = accounts.map((one) => `${one.service}/${one.name}`).join(', ')
    throw new HoldfastError('not-found', `There is no such account; ${there === '' ? 'nobody is signed in' : `there is ${there}`}.`, { data: { advice: 'List them with `holdfast accounts`.' } })
  }
  const reference = { service: kind, ...(text.length > kind.length + 1 && { name: text.slice(kind.length + 1) }) }
  return { service: kind, name: pickAccount(accounts, reference).name }
}

async function listAccounts({ output, home }: PlainInvocation): Promise<Ending> {
  const { readAccounts } = await import('../accounts/owner.ts')
  const accounts = await readAccounts(home)
  const rows = formatTable(['SERVICE', 'NAME', 'SIGNED IN AS', 'SINCE', ''], accounts.map(accountRow))
  for (const [index, account] of accounts.entries()) output.record({ type: 'account', ...accountJson(account) }, ...rows.slice(index === 0 ? 0 : index + 1, index + 2))
  return {
    exitCode: exitCodes.success,
    json: { operation: 'accounts', outcome: 'success', accounts: accounts.length },
    text: accounts.length === 0 ? ['Nobody is signed in. See `holdfast login --help`.'] : [],
  }
}

function accountRow({ service, name, login, signedInMs, state }: Account): string[] {
  return [service, name, login, formatTime(signedInMs), state === 'signed-in' ? '' : 'sign in again']
}

function accountJson({ service, name, login, signedInMs, state }: Account): Record<string, unknown> {
  return { service, name, login, signedInMs, state }
}
