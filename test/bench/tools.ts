import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Command } from './measure.ts'

/** A backup program as the benchmark drives it; `home` is an empty folder of its own, where the repository and its caches live. */
export interface Tool {
  readonly name: string
  init(home: string): Command
  backup(home: string, source: string): Command
  restore(home: string, target: string): Command
  repository(home: string): string
}

const password = 'correct horse battery staple'

export const holdfast: Tool = {
  name: 'holdfast',
  init: (home) => holdfastCommand(home, ['init']),
  backup: (home, source) => ({ ...holdfastCommand(home, ['backup', source, '--job', 'bench']), accept: [1] }),
  restore: (home, target) => holdfastCommand(home, ['restore', 'latest', '--to', target]),
  repository: (home) => join(home, 'repository'),
}

export const restic: Tool = {
  name: 'restic',
  init: (home) => resticCommand(home, ['init', '--repository-version', '2']),
  backup: (home, source) => resticCommand(home, ['backup', source]),
  restore: (home, target) => resticCommand(home, ['restore', 'latest', '--target', target]),
  repository: (home) => join(home, 'repository'),
}

export const borg: Tool = borgTool('borg lz4', 'repokey', 'lz4')
export const borgZstd: Tool = borgTool('borg zstd,3', 'repokey-blake2', 'zstd,3')

function holdfastCommand(home: string, args: readonly string[]): Command {
  const cli = join(import.meta.dirname, '../../dist/engine/cli.js')
  return {
    program: process.execPath, args: [cli, ...args],
    env: { HOLDFAST_REPO: join(home, 'repository'), HOLDFAST_PASSWORD: password, HOLDFAST_HOME: join(home, 'state') },
  }
}

function resticCommand(home: string, args: readonly string[]): Command {
  return {
    program: 'restic', args: ['--quiet', ...args],
    env: { RESTIC_REPOSITORY: join(home, 'repository'), RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: join(home, 'cache') },
  }
}

function borgTool(name: string, encryption: string, compression: string): Tool {
  let count = 0
  const command = (home: string, args: readonly string[]): Command => ({
    program: 'borg', args,
    env: { BORG_REPO: join(home, 'repository'), BORG_PASSPHRASE: password, BORG_BASE_DIR: join(home, 'state') },
  })
  return {
    name,
    init: (home) => command(home, ['init', '--encryption', encryption]),
    backup: (home, source) => command(home, ['create', '--compression', compression, `::archive-${++count}`, source]),
    restore: (home, target) => {
      mkdirSync(target, { recursive: true })
      return { ...command(home, ['extract', `::archive-${count}`]), cwd: target }
    },
    repository: (home) => join(home, 'repository'),
  }
}
