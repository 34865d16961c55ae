import { resolve } from 'node:path'
import type { Command } from 'commander'
import type { ExcludePreset } from '../../protocol/job.ts'
import { runToEnding } from '../execute.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { collect, parseHost, parseJobName, parsePreset, parseSize } from '../values.ts'

interface BackupOptions extends CommonOptions {
  readonly job: string
  readonly exclude?: readonly string[]
  readonly excludePreset?: readonly ExcludePreset[]
  readonly excludeLargerThan?: number
  readonly oneFileSystem?: true
  readonly dryRun?: true
  readonly cancelOnFailure?: true
}

export function addBackup(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('backup <path...>', 'store files and folders as a new snapshot of a job', [
      'backup ~/Documents ~/Pictures --job home',
      "backup /srv --job server --exclude '*.tmp' --exclude-preset caches --one-file-system",
      'backup ~/Documents --job home --dry-run',
    ])
    .requiredOption('-j, --job <name>', 'name of the job; its snapshots are NAME@1, NAME@2, …', parseJobName)
    .option('-e, --exclude <pattern>', 'leave out what matches, in gitignore syntax; may be repeated', collect)
    .option('--exclude-preset <name>', 'caches, trash, node_modules, nobackup, cachedir or nodump (chattr +d); may be repeated', parsePreset)
    .option('--exclude-larger-than <size>', 'leave out files larger than this, e.g. 2G', parseSize)
    .option('--host <name>', 'name of this machine in the snapshots (default: its own); a renamed one goes on under its old name', parseHost)
    .option('--one-file-system', 'do not cross into other file systems')
    .option('--cancel-on-failure', 'break off what is on its way when an upload finally fails')
    .option('-n, --dry-run', 'read and count everything, store nothing')
    .addHelpText('after', '\nWhere nothing has changed since the last snapshot no new one is made, and the exit code is 1.\nSockets and devices are left out and counted in a note, not as warnings; so are the repository and Holdfast’s own folder.')
  command.action(async (paths: readonly string[], options: BackupOptions) => {
    await builder.run(options, ({ settings, context }) =>
      runToEnding(
        {
          ...settings,
          type: 'backup',
          name: options.job,
          sources: paths.map((path) => resolve(path)),
          excludes: {
            patterns: options.exclude ?? [],
            presets: options.excludePreset ?? [],
            oneFileSystem: options.oneFileSystem ?? false,
            ...(options.excludeLargerThan === undefined ? {} : { largerThanBytes: options.excludeLargerThan }),
          },
          dryRun: options.dryRun ?? false,
          onFailure: options.cancelOnFailure ? 'cancel' : 'drain',
        },
        context,
      ),
    )
  })
  program.addCommand(command)
}
