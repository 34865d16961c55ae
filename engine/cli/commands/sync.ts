import type { Command } from 'commander'
import { absoluteAddress } from '../../backend/address.ts'
import type { SyncDetails, PlannedGroup } from '../../commands/sync.ts'
import type { RunSummary } from '../../protocol/progress.ts'
import { shellWord } from '../../protocol/shell-word.ts'
import { runToEnding } from '../execute.ts'
import { formatPlural } from '../format.ts'
import { heldLine } from '../held-text.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { collect, parseGroups, parsePositive, parseText } from '../values.ts'

interface SyncOptions extends CommonOptions {
  readonly from: string
  readonly to?: string
  readonly fromPasswordFile?: string
  readonly group?: readonly string[]
  readonly last?: number
  readonly removeVanished?: true
  readonly carryFine?: true
  readonly parallelGroups?: number
  readonly dryRun?: true
  readonly acceptOlderSource?: true
  readonly acceptOtherSource?: true
}

export function addSync(program: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('sync', 'copy snapshots from one repository to another', [
      'sync --from /mnt/disk/backup --to sftp://me@attic.example/backup',
      "sync --from /mnt/disk/backup --to /mnt/other --group 'desk/*' --last 30",
      'sync --from s3:https://s3.example/photos --to /mnt/disk/copy --remove-vanished --dry-run',
    ])
    .requiredOption('--from <address>', 'repository that is read', parseText)
    .option('--to <address>', 'repository that is written (or --repo, or HOLDFAST_REPO)', parseText)
    .option('--from-password-file <file>', 'file whose first line is the password of the source, - for standard input (or HOLDFAST_FROM_PASSWORD, or a prompt)')
    .option('-g, --group <pattern>', 'only the snapshots of these: HOST/JOB, with * for any characters and ? for one; may be repeated', collect)
    .option('--last <n>', 'of each group only the newest N', parsePositive)
    .option('--remove-vanished', 'forget at the destination what was forgotten at the source')
    .option('--carry-fine', 'an unusual backup that was acknowledged at the source is fine at the destination too')
    .option('--parallel-groups <n>', 'groups that are copied at once, 1 to 16, each with --concurrency transfers (default: 2)', parseGroups)
    .option('--accept-older-source', 'go on although snapshots are gone from the source that this machine has seen there')
    .option('--accept-other-source', 'go on although another repository is at the source than before')
    .option('-n, --dry-run', 'show the plan, change nothing')
    .addHelpText('after', `\n${syncHelp}`)
  command.action(async (options: SyncOptions) => {
    const from = absoluteAddress(options.from)
    const run = { ...options, ...(options.to === undefined ? {} : { repo: options.to }), source: { repository: from, passwordFile: options.fromPasswordFile } }
    await builder.run(run, ({ settings, context }) => runToEnding(
      {
        ...settings,
        type: 'sync',
        from,
        groups: options.group ?? [],
        removeVanished: options.removeVanished ?? false,
        parallelGroups: options.parallelGroups ?? 2,
        dryRun: options.dryRun ?? false,
        ...(options.last === undefined ? {} : { last: options.last }),
        ...(options.carryFine ? { carryFine: true } : {}),
        ...(options.acceptOlderSource ? { acceptOlderSource: true } : {}),
        ...(options.acceptOtherSource ? { acceptOtherSource: true } : {}),
      },
      context,
      (summary) => [...groupLines(summary, options.dryRun ?? false), ...heldLines(summary, { source: from, destination: settings.repository })],
    ))
  })
  program.addCommand(command)
}

/** A line for each group, and in a dry run one for each snapshot. */
function groupLines(summary: RunSummary, dryRun: boolean): string[] {
  const { plan, done } = summary.details as SyncDetails
  return plan.flatMap((group) => {
    const result = done.find((each) => each.group === group.group && each.origin === group.origin)
    const copied = dryRun ? `${group.copy.length} to copy` : `${result?.copied.length ?? 0} copied`
    const removed = dryRun ? group.remove.length : result?.removed.length ?? 0
    const annotated = dryRun ? group.annotate.length : result?.annotated.length ?? 0
    const parts = [
      copied,
      ...(removed > 0 ? [`${removed} ${dryRun ? 'to forget' : 'forgotten'}`] : []),
      ...(annotated > 0 ? [`${annotated} ${dryRun ? 'to annotate' : 'annotated'}`] : []),
      ...(result && result.failed.length > 0 ? [`${result.failed.length} not readable at the source`] : []),
      ...skippedWords(group),
    ]
    const stays = [...group.stays, ...result?.stayed ?? []]
    return [
      `  ${group.group}: ${parts.join(', ')}`,
      ...(dryRun ? [...group.copy.map((id) => `    + ${id}`), ...group.remove.map((id) => `    - ${id}`)] : []),
      ...stays.map(({ id, because }) => `    = ${id} stays: ${staysWords[because]}`),
      ...(stays.some(({ because }) => because === 'gone' || because === 'last') ? [`    If all of it may go: sync with --group ${shellWord(group.group)} --remove-vanished`] : []),
    ]
  })
}

/** Why something is still there that the source has forgotten. */
const staysWords: Readonly<Record<PlannedGroup['stays'][number]['because'], string>> = {
  pinned: 'it is pinned',
  held: 'the group is held at the destination',
  'held-at-source': 'the group is held at the source',
  gone: 'the source has nothing of the group any more',
  last: 'nothing of the group would be left',
  'not-copied': 'another snapshot of the group could not be copied',
}

function heldLines({ details }: RunSummary, repositories: Readonly<Record<'source' | 'destination', string>>): string[] {
  return ((details as SyncDetails).held ?? []).map((held) => heldLine(held, { side: held.at, repository: repositories[held.at] }))
}

function skippedWords({ skipped }: PlannedGroup): string[] {
  return [
    ...(skipped.held > 0 ? [`${skipped.held} already there`] : []),
    ...(skipped.forgotten > 0 ? [`${skipped.forgotten} forgotten there`] : []),
    ...(skipped.own > 0 ? [`${formatPlural(skipped.own, 'snapshot')} made there`] : []),
    ...(skipped.older > 0 ? [`${skipped.older} older`] : []),
  ]
}

const syncHelp = `What it does:
  A group is one job of one machine; its snapshots go oldest first, each whole or not at all. At the destination they keep job, machine and
  times, and have ids of their own (photos~0123456789ab@3); latest:HOST/JOB finds them. Only what the destination lacks is read, every piece is
  verified and encrypted anew. Interrupted, the same command goes on. What was forgotten at the destination is not brought again.
  Names, notes and pins come along, later ones too; whether an unusual backup is fine is for each side to say,
  unless --carry-fine says that both are yours.
  --remove-vanished forgets a snapshot only where the source itself says that it was forgotten. The space comes free with the next prune.
  What is pinned at the destination stays. So does all of a group that is held on either side for an unusual backup (see acknowledge), that
  the source has nothing of any more, or that nothing would be left of; for the last two, naming it says that it may go: --group desk/photos.

Keys of the two storages:
  The destination's come from the variables that "holdfast destinations" names. The source takes the same with FROM in front:
  HOLDFAST_FROM_AWS_ACCESS_KEY_ID, HOLDFAST_FROM_WEBDAV_PASSWORD. Where the two are different kinds of storage the ordinary ones do for both.

The exit code is 1 where there was nothing to copy, and 2 where a snapshot could not be read at the source,
or a group stays that --remove-vanished would have touched.`
