import type { Command } from 'commander'
import type { ExcludePreset } from '../../protocol/job.ts'
import { HoldfastError } from '../../base/errors.ts'
import { runToEnding } from '../execute.ts'
import { readLists, type ListOptions } from '../files-from.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { typedSource } from '../typed.ts'
import { collect, parseHost, parseJobName, parsePreset, parseSize } from '../values.ts'

interface BackupOptions extends CommonOptions, ListOptions {
  readonly job: string
  readonly exclude?: readonly string[]
  readonly excludePreset?: readonly ExcludePreset[]
  readonly excludeLargerThan?: number
  readonly oneFileSystem?: true
  readonly acceptChangedSources?: true
  readonly dryRun?: true
  readonly cancelOnFailure?: true
}

export function addBackup(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('backup [path...]', 'store files and folders as a new snapshot of a job', [
      'backup ~/Documents ~/Pictures --job home',
      "backup /srv --job server --exclude '*.tmp' --exclude-preset caches --one-file-system",
      'backup ~/Documents --job home --dry-run',
      "find /srv -name '*.conf' -print0 | holdfast backup --files-from0 - --job configuration",
    ])
    .requiredOption('-j, --job <name>', 'name of the job; its snapshots are NAME@1, NAME@2, …', parseJobName)
    .option('-e, --exclude <pattern>', 'leave out what matches, in gitignore syntax; may be repeated', collect)
    .option('--exclude-preset <name>', 'caches, trash, node_modules, nobackup, cachedir or nodump (chattr +d); may be repeated', parsePreset)
    .option('--exclude-larger-than <size>', 'leave out files larger than this, e.g. 2G', parseSize)
    .option('--host <name>', 'name of this machine in the snapshots (default: its own); a renamed one goes on under its old name', parseHost)
    .option('--files-from <file>', 'more sources, one a line, as they are or as Holdfast prints them; - for standard input', collect)
    .option('--files-from0 <file>', 'more sources, each ended by a zero byte, exact (find -print0); - for standard input', collect)
    .option('--accept-changed-sources', 'store a source that is suddenly empty or on another disk as it is now')
    .option('--one-file-system', 'do not cross into other file systems')
    .option('--cancel-on-failure', 'break off what is on its way when an upload finally fails')
    .option('-n, --dry-run', 'read and count everything, store nothing')
    .addHelpText('after', `\n${sourcesHelp}`)
  command.action(async (paths: readonly string[], options: BackupOptions) => {
    await builder.run(options, async ({ settings, context }) => {
      const listed = [...paths.map((text) => ({ type: 'text' as const, text })), ...await readLists(options)]
      if (listed.length === 0) throw new HoldfastError('arguments', 'There is nothing to back up: name files and folders, or a list of them with --files-from.')
      return runToEnding(
        {
          ...settings,
          type: 'backup',
          name: options.job,
          sources: listed.map(typedSource),
          excludes: {
            patterns: options.exclude ?? [],
            presets: options.excludePreset ?? [],
            oneFileSystem: options.oneFileSystem ?? false,
            ...(options.excludeLargerThan === undefined ? {} : { largerThanBytes: options.excludeLargerThan }),
          },
          dryRun: options.dryRun ?? false,
          ...(options.acceptChangedSources ? { acceptChangedSources: true } : {}),
          onFailure: options.cancelOnFailure ? 'cancel' : 'drain',
        },
        context,
      )
    })
  })
  program.addCommand(command)
}

const sourcesHelp = `Patterns:
  As in a .gitignore file, relative to each source: *.tmp and cache/ match at any depth, /build only in
  the source itself, !keep.tmp takes in again. Capital and small letters differ on Linux, and are the
  same on macOS and Windows, for presets too. A pattern that could never match (./x, ../x, ~/x, C:\\x,
  a blank at its end, a [ that is not closed) is refused; --verbose tells of those that matched nothing.

Presets:
  caches        .cache/, Caches/, __pycache__/ and what package managers and compilers make again
  trash         .Trash/, .Trash-*/, .local/share/Trash/, $RECYCLE.BIN/, lost+found/
  node_modules  node_modules/
  nobackup      the content of folders with a file .nobackup
  cachedir      the content of folders with a CACHEDIR.TAG (bford.info/cachedir)

Sources:
  A symbolic link that is named stands for what it leads to; links below a source are stored as links.
  In the snapshot a source has the last part of its path as its name, and where several have the same,
  with the folder above in brackets: docs (anna), docs (ben). It keeps its name when others come and go.
  One folder under two names is stored once; a source inside another is stored as both.
  A source that is missing, suddenly empty, or on another disk than before (an unplugged disk leaves an
  empty folder) keeps its last stored version in the new snapshot, the others are stored, and the exit
  code is 2. --accept-changed-sources stores what is empty or elsewhere as it is; one that is gone for
  good is left out of the command. Where no source is there at all, the run fails.
  What the kernel makes up (/proc, /sys, /dev, /run) is left out of /, and refused as a source.
  Sockets and devices are left out and counted in a note, not as warnings; so are the repository and
  Holdfast’s own folder.

Where nothing has changed since the last snapshot no new one is made, and the exit code is 1.`
