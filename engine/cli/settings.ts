import { isAbsolute, resolve } from 'node:path'
import envPaths from 'env-paths'
import { HoldfastError } from '../base/errors.ts'
import type { Limits } from '../protocol/messages.ts'

/** Options that every command takes. */
export interface CommonOptions {
  readonly repo?: string
  readonly passwordFile?: string
  readonly json?: true
  readonly verbose?: true
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

/** Errors: arguments (no repository named). A plain path is made absolute. */
export function settingsOf(options: CommonOptions, environment: Environment): Settings {
  const repository = options.repo ?? environment['HOLDFAST_REPO']
  if (repository === undefined || repository === '') {
    throw new HoldfastError('arguments', 'No repository is named: give --repo or set HOLDFAST_REPO (a folder, or s3://bucket/prefix?endpoint=…).')
  }
  return {
    repository: absoluteAddress(repository),
    home: homeOf(environment),
    concurrency: options.concurrency ?? defaultConcurrency,
    ...(options.patience === undefined ? {} : { patienceMs: options.patience }),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.acceptOlderRepository ? { acceptOlderRepository: true } : {}),
    ...(options.acceptOtherRepository ? { acceptOtherRepository: true } : {}),
  }
}

/** HOLDFAST_HOME, or the platform's folder for application data. */
function homeOf(environment: Environment): string {
  const home = environment['HOLDFAST_HOME']
  return home === undefined || home === '' ? envPaths('holdfast', { suffix: '' }).data : resolve(home)
}

export function limitsOf(options: CommonOptions): Limits {
  return {
    ...(options.limitUpload === undefined ? {} : { uploadBytesPerSecond: options.limitUpload }),
    ...(options.limitDownload === undefined ? {} : { downloadBytesPerSecond: options.limitDownload }),
  }
}

/** Anything with a scheme stays; a plain path is resolved here, because an engine's working directory means nothing. */
function absoluteAddress(repository: string): string {
  const hasScheme = /^[a-z][a-z0-9+.-]+:/i.test(repository)
  return hasScheme || isAbsolute(repository) ? repository : resolve(repository)
}
