import type { Command } from 'commander'
import { HoldfastError } from '../../base/errors.ts'
import type { PruneJob } from '../../protocol/job.ts'
import { runToEnding } from '../execute.ts'
import { forgetLines } from '../forget-text.ts'
import { despiteUnusualHelp, pruneLines } from '../held-text.ts'
import { addKeepOptions, policyOf, type KeepOptions } from '../keep-options.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { parseSpan } from '../values.ts'

interface ForgetOptions extends CommonOptions, KeepOptions {
  readonly dryRun?: true
  readonly pinned?: true
  readonly despiteUnusual?: true
}

interface PruneOptions extends CommonOptions {
  readonly dryRun?: boolean
  readonly despiteUnusual?: true
  readonly minimumAge?: number
  readonly expireAfter?: number
}

/** `forget` and `prune`. */
export function addRetention(program: Command, builder: ProgramBuilder): void {
  addForget(program, builder)
  const prune = builder
    .command('prune', 'free the space of forgotten snapshots and interrupted runs', ['prune', 'prune --dry-run'])
    .option('-n, --dry-run', 'show the plan, remove nothing')
    .option('--despite-unusual', despiteUnusualHelp)
    .option('--minimum-age <time>', 'leave packs alone that are younger (default: 1d)', parseSpan)
    .option('--expire-after <time>', 'count a backup as dead that gave no sign of life for so long (default: 3d)', parseSpan)
  prune.action(async (options: PruneOptions) => {
    await builder.run(options, ({ settings, context }) => runToEnding({ ...settings, ...pruneJob(options) }, context, pruneLines))
  })
  program.addCommand(prune)
}

function pruneJob({ dryRun = false, despiteUnusual, minimumAge, expireAfter }: PruneOptions): Omit<PruneJob, 'repository' | 'home' | 'concurrency'> {
  return {
    type: 'prune',
    dryRun,
    ...(despiteUnusual ? { despiteUnusual: true } : {}),
    ...(minimumAge === undefined ? {} : { minimumAgeMs: minimumAge }),
    ...(expireAfter === undefined ? {} : { expireAfterMs: expireAfter }),
  }
}

function addForget(program: Command, builder: ProgramBuilder): void {
  const command = builder.command('forget [snapshot...]', 'remove snapshots, by id or by what to keep', [
    'forget home@3 home@4',
    'forget --job home --keep-daily 7 --keep-weekly 5 --keep-monthly 12',
    'forget --keep-last 10 --dry-run',
    'forget --keep-within 30d --keep-monthly 12 --keep-size 500G --dry-run',
  ])
  command.option('--pinned', 'forget the snapshots that are named although they are pinned')
  command.option('--despite-unusual', despiteUnusualHelp)
  addKeepOptions(command)
  command.option('-n, --dry-run', 'show what would be kept and why, what forgotten, and how much that frees')
  command.addHelpText('after', `
Hours, days, weeks (from Monday), months and years are those of the place where a snapshot was made: its time zone is stored with it. The
newest snapshot of each job always stays, and so does what is pinned (see annotate). While an
unusual backup is not acknowledged (see acknowledge), nothing as old goes unless it is named. Snapshots of other machines stay, unless --host or --all-hosts is given.
--keep-size is for all that the repository holds. It outweighs the other rules, but for --keep-last. What is freed is an estimate; the next prune frees it.`)
  command.action(async (snapshots: readonly string[], options: ForgetOptions) => {
    await builder.run(options, ({ settings, context }) => {
      const policy = policyOf(options)
      if ((snapshots.length === 0) === (policy === undefined)) {
        throw new HoldfastError('arguments', 'Name either snapshots to forget or, with --keep-…, what to keep.')
      }
      return runToEnding(
        {
          ...settings,
          type: 'forget',
          snapshots,
          dryRun: options.dryRun ?? false,
          ...(policy === undefined ? {} : { policy }),
          ...(options.allHosts ? { allHosts: true } : {}),
          ...(options.pinned ? { pinned: true } : {}),
          ...(options.despiteUnusual ? { despiteUnusual: true } : {}),
          ...(options.job === undefined ? {} : { name: options.job }),
        },
        context,
        forgetLines,
      )
    })
  })
  program.addCommand(command)
}
