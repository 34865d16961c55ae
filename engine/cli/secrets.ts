import { readFile } from 'node:fs/promises'
import { HoldfastError } from '../base/errors.ts'
import type { JobSecrets } from '../protocol/job.ts'
import { promptHidden } from './prompt.ts'

/** Environment variables that hold secrets, and their names in JobSecrets.storage. */
const storageVariables = { AWS_ACCESS_KEY_ID: 'accessKeyId', AWS_SECRET_ACCESS_KEY: 'secretAccessKey', AWS_SESSION_TOKEN: 'sessionToken' } as const

interface PasswordSource {
  readonly variable: string
  readonly file: string | undefined
  readonly fileOption: string
  readonly prompt: string
  /** Ask twice where a typing error would lock the user out. */
  readonly confirm: boolean
}

/**
 * Password and storage credentials, from a file, the environment or a prompt. The variables are removed from this process's
 * environment, so that no child or worker inherits them. Errors: arguments, aborted (Ctrl-C at the prompt).
 */
export async function readSecrets(options: { readonly passwordFile?: string | undefined; readonly confirm: boolean }): Promise<JobSecrets> {
  const storage: Record<string, string> = {}
  for (const [variable, name] of Object.entries(storageVariables)) {
    const value = takeVariable(variable)
    if (value !== undefined) storage[name] = value
  }
  const password = await readPassword({
    variable: 'HOLDFAST_PASSWORD',
    file: options.passwordFile,
    fileOption: '--password-file',
    prompt: 'Password of the repository',
    confirm: options.confirm,
  })
  return { password, storage }
}

/** The password that `key add` adds. */
export function readNewPassword(file: string | undefined): Promise<string> {
  return readPassword({ variable: 'HOLDFAST_NEW_PASSWORD', file, fileOption: '--new-password-file', prompt: 'New password', confirm: true })
}

async function readPassword(source: PasswordSource): Promise<string> {
  const inherited = takeVariable(source.variable)
  const password = source.file === undefined ? (inherited ?? (await ask(source))) : await readPasswordFile(source.file)
  if (password === '') throw new HoldfastError('arguments', 'The password is empty.')
  return password
}

function takeVariable(name: string): string | undefined {
  const value = process.env[name]
  Reflect.deleteProperty(process.env, name)
  return value === '' ? undefined : value
}

/** The first line of the file, without its line end. */
async function readPasswordFile(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new HoldfastError('arguments', `The password file cannot be read: ${path}`, { cause })
  })
  return text.split(/\r?\n/, 1)[0] ?? ''
}

async function ask(source: PasswordSource): Promise<string> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new HoldfastError('arguments', `No password: set ${source.variable}, give ${source.fileOption}, or run in a terminal.`)
  }
  const password = await promptHidden(`${source.prompt}: `)
  if (source.confirm && (await promptHidden('The same again: ')) !== password) {
    throw new HoldfastError('arguments', 'The two passwords differ.')
  }
  return password
}
