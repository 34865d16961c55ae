import { HoldfastError } from '../base/errors.ts'
import type { JobSecrets } from '../protocol/job.ts'
import { passwordProblem, passwordWords, stripInvisible } from '../protocol/password.ts'
import { readPasswordFile, readRecoveryKeyFile } from './password-file.ts'
import { promptHidden } from './prompt.ts'
import { readBothStorageSecrets } from './storage-secrets.ts'
import { takeVariable } from './variables.ts'

interface PasswordSource {
  readonly variable: string
  /** Where the variable was taken already. */
  readonly inherited?: string | undefined
  readonly file: string | undefined
  readonly fileOption: string
  readonly prompt: string
  /** Ask twice where a typing error would lock the user out. */
  readonly confirm: boolean
  /** Told what is unsafe about a password file that is taken nevertheless. */
  readonly warn: (words: string) => void
}

export interface SecretOptions {
  /** Only what its storage asks for is passed on. */
  readonly repository: string
  readonly passwordFile?: string | undefined
  readonly recoveryKeyFile?: string | undefined
  /** Of a sync: its source. */
  readonly from?: FromOptions | undefined
  readonly confirm: boolean
  /** Of a recovery kit, not a password. */
  readonly asksForWords?: boolean
  readonly warn: (words: string) => void
}

export interface FromOptions {
  readonly repository: string
  readonly passwordFile?: string | undefined
}

/**
 * Password and storage credentials, from a file, the environment or a prompt. The variables are removed from this process's
 * environment, so that no child or worker inherits them. Errors: arguments, aborted (Ctrl-C at the prompt).
 */
export async function readSecrets(options: SecretOptions): Promise<JobSecrets> {
  const { storage, from: fromStorage } = await readBothStorageSecrets(options.repository, options.from?.repository)
  // Removed from the environment in any case.
  const inherited = takeVariable('HOLDFAST_FROM_PASSWORD')
  const secrets = { password: await readOwnPassword(options), storage }
  if (!options.from) return secrets
  const source = {
    variable: 'HOLDFAST_FROM_PASSWORD', inherited, file: options.from.passwordFile, fileOption: '--from-password-file', prompt: 'Password of the source', confirm: false, warn: options.warn,
  }
  return { ...secrets, from: { password: await readPassword(source), storage: fromStorage } }
}

async function readOwnPassword({ passwordFile, recoveryKeyFile, confirm, asksForWords, warn }: SecretOptions): Promise<string> {
  if (recoveryKeyFile !== undefined) {
    if (passwordFile !== undefined) throw new HoldfastError('arguments', 'Give --password-file or --recovery-key-file, not both.')
    takeVariable('HOLDFAST_PASSWORD')
    return readRecoveryKeyFile(recoveryKeyFile, warn)
  }
  return readPassword({
    variable: 'HOLDFAST_PASSWORD', file: passwordFile, fileOption: '--password-file', prompt: asksForWords ? 'Words of the recovery kit' : 'Password of the repository', confirm, warn,
  })
}

/** The password that `key add` adds. Errors: as readSecrets. */
export function readNewPassword(file: string | undefined, warn: (words: string) => void): Promise<string> {
  return readPassword({ variable: 'HOLDFAST_NEW_PASSWORD', file, fileOption: '--new-password-file', prompt: 'New password', confirm: true, warn })
}

async function readPassword(source: PasswordSource): Promise<string> {
  const inherited = source.inherited ?? takeVariable(source.variable)
  if (source.file !== undefined) return readPasswordFile(source.file, source.fileOption, source.warn)
  if (inherited !== undefined) return checked(stripInvisible(inherited), source.variable)
  return ask(source)
}

function checked(password: string, where: string): string {
  const problem = passwordProblem(password)
  if (problem !== undefined) throw new HoldfastError('arguments', `The password in ${where} ${passwordWords[problem]}.`)
  return password
}

async function ask(source: PasswordSource): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new HoldfastError('arguments', `No password: set ${source.variable}, give ${source.fileOption}, or run in a terminal.`)
  }
  const password = checked(await promptHidden(`${source.prompt}: `), 'what was typed')
  if (source.confirm && (await promptHidden('The same again: ')) !== password) {
    throw new HoldfastError('arguments', 'The two passwords differ.')
  }
  return password
}
