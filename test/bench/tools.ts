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

/** Which programs stand behind the names; a peer of another version is given by its path. */
export interface Programs {
  readonly restic: string
  readonly kopia: string
  readonly borg: string
  /** A built command line of ours: `dist/engine/cli.js` of this clone, or of an older one to compare with. */
  readonly holdfast: string
  readonly before: string
}

export const standardPrograms: Programs = {
  restic: 'restic', kopia: 'kopia', borg: 'borg', holdfast: join(import.meta.dirname, '../../dist/engine/cli.js'), before: '',
}

/** Every tool by the name that `--tools` takes. */
export function toolsOf(programs: Programs): Readonly<Record<string, Tool>> {
  return {
    holdfast: holdfastTool('holdfast', programs.holdfast),
    before: holdfastTool('before', programs.before),
    restic: resticTool(programs.restic),
    kopia: kopiaTool(programs.kopia),
    borg: borgTool(programs.borg, 'borg lz4', 'repokey', 'lz4'),
    'borg-zstd': borgTool(programs.borg, 'borg zstd,3', 'repokey-blake2', 'zstd,3'),
  }
}

function holdfastTool(name: string, cli: string): Tool {
  const command = (home: string, args: readonly string[]): Command => ({
    program: process.execPath, args: [cli, ...args],
    env: { HOLDFAST_REPO: join(home, 'repository'), HOLDFAST_PASSWORD: password, HOLDFAST_HOME: join(home, 'state') },
  })
  return {
    name,
    init: (home) => command(home, ['init']),
    backup: (home, source) => ({ ...command(home, ['backup', source, '--job', 'bench']), accept: [1] }),
    restore: (home, target) => command(home, ['restore', 'latest', '--to', target]),
    repository: (home) => join(home, 'repository'),
  }
}

function resticTool(program: string): Tool {
  const command = (home: string, args: readonly string[]): Command => ({
    program, args: ['--quiet', ...args],
    env: { RESTIC_REPOSITORY: join(home, 'repository'), RESTIC_PASSWORD: password, RESTIC_CACHE_DIR: join(home, 'cache') },
  })
  return {
    name: 'restic',
    init: (home) => command(home, ['init', '--repository-version', '2']),
    backup: (home, source) => command(home, ['backup', source]),
    restore: (home, target) => command(home, ['restore', 'latest', '--target', target]),
    repository: (home) => join(home, 'repository'),
  }
}

/** With zstd: without a policy Kopia compresses nothing. */
function kopiaTool(program: string): Tool {
  const sources = new Map<string, string>()
  const command = (home: string, args: readonly string[]): Command => ({
    program, args: ['--no-progress', ...args],
    env: {
      KOPIA_PASSWORD: password, KOPIA_CONFIG_PATH: join(home, 'state/repository.config'), KOPIA_CACHE_DIRECTORY: join(home, 'cache'),
      KOPIA_LOG_DIR: join(home, 'log'), KOPIA_CHECK_FOR_UPDATES: 'false', KOPIA_USE_KEYRING: 'false',
    },
  })
  return {
    name: 'kopia',
    init: (home) => {
      const { args, env } = command(home, [])
      const kopia = [program, ...args].join(' ')
      const repository = join(home, 'repository')
      mkdirSync(repository, { recursive: true })
      return { program: 'sh', args: ['-ec', `${kopia} repository create filesystem --path ${repository}; ${kopia} policy set --global --compression zstd`], env }
    },
    backup: (home, source) => {
      sources.set(home, source)
      return command(home, ['snapshot', 'create', source])
    },
    restore: (home, target) => command(home, ['snapshot', 'restore', '--snapshot-time', 'latest', sources.get(home) ?? '', target]),
    repository: (home) => join(home, 'repository'),
  }
}

function borgTool(program: string, name: string, encryption: string, compression: string): Tool {
  let count = 0
  const command = (home: string, args: readonly string[]): Command => ({
    program, args,
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
