import { isAbsolute } from 'node:path'
import { absoluteAddress } from '../backend/address.ts'
import { HoldfastError } from '../base/errors.ts'
import { absolutePath } from '../base/typed-path.ts'
import type { Limits } from '../protocol/messages.ts'

/** Options of commands that are about no repository. */
export interface PlainOptions {
  readonly json?: true
  readonly verbose?: true
}

/** Options that every command about a repository takes. */
export interface CommonOptions extends PlainOptions {
  readonly repo?: string
  readonly passwordFile?: string
  readonly recoveryKeyFile?: string
  readonly concurrency?: number
  readonly limitUpload?: number
  readonly limitDownload?: number
  readonly patience?: number
  readonly host?: string
  readonly acceptOlderRepository?: true
  readonly acceptOtherRepository?: true
}

/** What every job needs, from options and environment. */
export interface Settings {
  readonly repository: string
  readonly home: string
  readonly concurrency: number
  readonly patienceMs?: number
  readonly host?: string
  readonly acceptOlderRepository?: boolean
  readonly acceptOtherRepository?: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

const defaultConcurrency = 4

/** Errors: arguments (no repository named, or one that cannot be meant). A plain path is made absolute. */
export async function settingsOf(options: CommonOptions, environment: Environment): Promise<Settings> {
  const repository = options.repo ?? environment['HOLDFAST_REPO']
  if (repository === undefined || (options.repo === undefined && repository === '')) {
    throw new HoldfastError('arguments', 'No repository is named: give --repo or set HOLDFAST_REPO (a folder, or an address; `holdfast destinations` lists them).')
  }
  return {
    repository: absoluteAddress(repository),
    home: await homeOf(environment),
    concurrency: options.concurrency ?? defaultConcurrency,
    ...(options.patience === undefined ? {} : { patienceMs: options.patience }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.acceptOlderRepository ? { acceptOlderRepository: true } : {}),
    ...(options.acceptOtherRepository ? { acceptOtherRepository: true } : {}),
  }
}

/** HOLDFAST_HOME, or where it is not set or empty the platform's folder for application data. Errors: arguments. */
export async function homeOf(environment: Environment): Promise<string> {
  const home = environment['HOLDFAST_HOME']
  if (home !== undefined && home !== '') return absolutePath('HOLDFAST_HOME', home)
  const standard = await standardHome()
  if (standard === undefined || !isAbsolute(standard)) {
    throw new HoldfastError('arguments', 'There is no place for the local catalog, since this user has no home folder: set HOLDFAST_HOME to a folder.')
  }
  return standard
}

/** Undefined for a user without a name and a home: the library asks for them as soon as it is loaded. */
async function standardHome(): Promise<string | undefined> {
  try {
    const { default: envPaths } = await import('env-paths')
    return envPaths('holdfast', { suffix: '' }).data
  } catch {
    return undefined
  }
}

export function limitsOf(options: CommonOptions): Limits {
  return {
    ...(options.limitUpload === undefined ? {} : { uploadBytesPerSecond: options.limitUpload }),
    ...(options.limitDownload === undefined ? {} : { downloadBytesPerSecond: options.limitDownload }),
  }
}
