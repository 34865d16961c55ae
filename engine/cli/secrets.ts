import { HoldfastError } from '../base/errors.ts'
import type { JobSecrets } from '../protocol/job.ts'
import { passwordProblem, passwordWords, stripInvisible } from '../protocol/password.ts'
import { readPasswordFile, readRecoveryKeyFile } from './password-file.ts'
import { promptHidden } from './prompt.ts'
import { readStorageSecrets } from './storage-secrets.ts'
import { takeVariable } from './variables.ts'

interface PasswordSource {
  readonly variable: string
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
  readonly confirm: boolean
  /** Of a recovery kit, not a password. */
  readonly asksForWords?: boolean
  readonly warn: (words: string) => void
}

/**
 * Password and storage credentials, from a file, the environment or a prompt. The variables are removed from this process's
 * environment, so that no child or worker inherits them. Errors: arguments, aborted (Ctrl-C at the prompt).
 */
export async function readSecrets(options: SecretOptions): Promise<JobSecrets> {
  const storage = await readStorageSecrets(options.repository)
  if (options.recoveryKeyFile !== undefined) {
    if (options.passwordFile !== undefined) throw new HoldfastError('arguments', 'Give --password-file or --recovery-key-file, not both.')
    takeVariable('HOLDFAST_PASSWORD')
    return { password: await readRecoveryKeyFile(options.recoveryKeyFile, options.warn), storage }
  }
  const password = await readPassword({
    variable: 'HOLDFAST_PASSWORD',
    file: options.passwordFile,
    fileOption: '--password-file',
    prompt: options.asksForWords ? 'Words of the recovery kit' : 'Password of the repository',
    confirm: options.confirm,
    warn: options.warn,
  })
  return { password, storage }
}

/** The password that `key add` adds. Errors: as readSecrets. */
export function readNewPassword(file: string | undefined, warn: (words: string) => void): Promise<string> {
  return readPassword({ variable: 'HOLDFAST_NEW_PASSWORD', file, fileOption: '--new-password-file', prompt: 'New password', confirm: true, warn })
}

async function readPassword(source: PasswordSource): Promise<string> {
  const inherited = takeVariable(source.variable)
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
