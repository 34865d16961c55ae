import { join, resolve } from 'node:path'
import envPaths from 'env-paths'
import { statusFile } from '../../engine/protocol/app-status.ts'

/** Where the app keeps what it keeps. */
export interface AppPaths {
  /** HOLDFAST_HOME: shared with the command line, so that one job cannot run from both at once. */
  readonly home: string
  readonly settings: string
  readonly jobs: string
  readonly secrets: string
  readonly keyFile: string
  readonly accounts: string
  readonly history: string
  /** What is watched in repositories. */
  readonly watch: string
  /** When somebody showed last that a password is known. */
  readonly reminders: string
  /** Who is told of backups. */
  readonly reports: string
  /** By way of which server messages go to whom, and the ones that wait. */
  readonly mail: string
  /** The state of the app, for `holdfast status`. */
  readonly status: string
  readonly logs: string
}

export function appPaths(environment: Readonly<Record<string, string | undefined>>): AppPaths {
  const set = environment['HOLDFAST_HOME']
  const home = set === undefined || set === '' ? envPaths('holdfast', { suffix: '' }).data : resolve(set)
  return {
    home,
    settings: join(home, 'settings.json'),
    jobs: join(home, 'jobs.json'),
    secrets: join(home, 'secrets.json'),
    keyFile: join(home, 'secrets.key'),
    accounts: join(home, 'app-accounts.json'),
    history: join(home, 'history'),
    watch: join(home, 'watch.json'),
    reminders: join(home, 'reminders.json'),
    reports: join(home, 'reports.json'),
    mail: join(home, 'mail.json'),
    status: join(home, statusFile),
    logs: join(home, 'logs'),
  }
}

/** The parts of the built app, below its folder. */
export interface ProgramPaths {
  readonly preload: string
  readonly renderer: string
  readonly engine: string
  /** Keys of the apps that people sign in with, where the build was given some. */
  readonly appKeys: string
}

/** @param appPath the app's folder or archive. A Node of its own cannot read an archive: the engine lies unpacked beside it. */
export function programPaths(appPath: string): ProgramPaths {
  const unpacked = appPath.replace(/app\.asar$/, 'app.asar.unpacked')
  return {
    preload: join(appPath, 'dist/main/preload.cjs'),
    renderer: join(appPath, 'dist/renderer'),
    engine: join(unpacked, 'dist/engine/engine.js'),
    appKeys: join(unpacked, 'dist/engine/app-keys.json'),
  }
}
