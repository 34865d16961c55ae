import type { Command } from 'commander'
import { absoluteAddress } from '../../backend/address.ts'
import type { Rotation } from '../../commands/rotate.ts'
import { shellWord } from '../../protocol/shell-word.ts'
import { checkLines } from '../check-text.ts'
import { exitCodes } from '../exit-codes.ts'
import { formatPlural } from '../format.ts'
import type { ProgramBuilder } from '../program.ts'
import type { CommonOptions } from '../settings.ts'
import { summaryText } from '../summary-text.ts'
import { parseGroups, parsePercent, parseText } from '../values.ts'

interface RotateOptions extends CommonOptions {
  readonly from: string
  readonly to: string
  readonly fromPasswordFile?: string
  readonly newIds?: true
  readonly parallelGroups?: number
  readonly readData?: number | true
  readonly acceptOlderSource?: true
  readonly acceptOtherSource?: true
}

export function addRotate(group: Command, builder: ProgramBuilder): void {
  const command = builder
    .command('rotate', 'seal everything anew under another master key, into a new repository', [
      'key rotate --from /mnt/disk/backup --to /mnt/disk/backup-2027',
      'key rotate --from s3:https://s3.example/photos --to s3:https://s3.example/photos-new --from-password-file old.txt --password-file new.txt',
    ])
    .requiredOption('--from <address>', 'the old repository; it is read and stays as it is', parseText)
    .requiredOption('--to <address>', 'the new one; made where there is none yet', parseText)
    .option('--from-password-file <file>', 'file whose first line is a password of the old one, - for standard input (or HOLDFAST_FROM_PASSWORD, or a prompt)')
    .option('--new-ids', 'keys of its own for cutting and naming pieces of files, too')
    .option('--parallel-groups <n>', 'groups that are copied at once, 1 to 16, each with --concurrency transfers (default: 2)', parseGroups)
    .option('--read-data [percent]', 'at the end also read packs of the new one back: all, or this share of them', parsePercent)
    .option('--accept-older-source', 'go on although snapshots are gone from the old one that this machine has seen there')
    .option('--accept-other-source', 'go on although another repository is at the address of the old one than before')
    .addHelpText('after', `\n${rotateHelp}`)
  command.action(async (options: RotateOptions) => {
    const [from, to] = [absoluteAddress(options.from), absoluteAddress(options.to)]
    const run = { ...options, repo: to, newRepository: true, source: { repository: from, passwordFile: options.fromPasswordFile } }
    await builder.run(run, async ({ settings, context }) => {
      const { rotate } = await import('../../commands/rotate.ts')
      const rotation = await rotate(settings, {
        from, newIds: options.newIds ?? false, parallelGroups: options.parallelGroups ?? 2, readDataPercent: options.readData === true ? 100 : (options.readData ?? 0),
        ...(options.acceptOlderSource ? { acceptOlderSource: true } : {}), ...(options.acceptOtherSource ? { acceptOtherSource: true } : {}),
      }, context)
      return { exitCode: exitCodeOf[rotation.outcome], json: { operation: 'key-rotate', ...rotation }, text: rotationLines(rotation, { from, to }) }
    })
  })
  group.addCommand(command)
}

const exitCodeOf = { success: exitCodes.success, warnings: exitCodes.warnings, failed: exitCodes.error } as const

function rotationLines(rotation: Rotation, { from, to }: { readonly from: string; readonly to: string }): string[] {
  const { missing, machines, keys, sync, check } = rotation
  return [
    headline(rotation, from, to),
    ...missing.map((id) => `    - ${id} is not there`),
    ...(machines > 0 ? [`  settings of ${formatPlural(machines, 'machine')} brought along`] : []),
    ...[...summaryText(sync), ...summaryText(check), ...checkLines(check)].map((line) => `  ${line}`),
    ...(rotation.outcome === 'failed' ? [`The new repository is damaged. Keep the old one: holdfast check --repo ${shellWord(to)}`] : nextSteps(keys.length, from, to)),
  ]
}

function headline({ outcome, snapshots, missing }: Rotation, from: string, to: string): string {
  const key = 'sealed under a master key of its own'
  if (outcome === 'failed') return `key rotate: failed · ${to} is damaged`
  if (missing.length > 0) return `key rotate: done, with warnings · ${formatPlural(snapshots, 'snapshot')} of ${from} at ${to}, ${key}; ${missing.length} not`
  return `key rotate: done${outcome === 'warnings' ? ', with warnings' : ''} · ${snapshots === 1 ? 'the one snapshot' : `all ${formatPlural(snapshots, 'snapshot')}`} of ${from} ${snapshots === 1 ? 'is' : 'are'} at ${to}, ${key}`
}

/** Nothing here is done by itself: who else uses the old one is not known, and what is deleted with it cannot be had back. */
function nextSteps(keys: number, from: string, to: string): string[] {
  const [old, made] = [shellWord(from), shellWord(to)]
  return [
    `What opens the old one opens nothing there; ${formatPlural(keys, 'password')} ${keys === 1 ? 'does' : 'do'} (holdfast key list --repo ${made}). What is left to do:`,
    `  1. Let every machine go on at the new address. In the app: Edit, “Where it goes”, with the new password. Elsewhere: --repo ${made}`,
    '  2. Then run this command once more: it brings what came meanwhile.',
    `  3. Make a new recovery kit (holdfast kit create --repo ${made}); let others in again (holdfast key add). Old kits open the old one alone.`,
    `  4. Restore something from the new one. Then delete ${old} and its copies where they are stored: until then who can get at its files and has`,
    '     one of its passwords, a removed one that an old key object still fits too, reads what is in them. What somebody has copied stays readable.',
  ]
}

const rotateHelp = `What it does:
  Removing a password keeps out who comes later. Who had it may have copied a key object, or the master key, and reads whatever is stored under
  that, for ever. A repository's objects are never rewritten, so a new master key means a new repository: this makes it (with the password
  given here, and no other), copies every snapshot into it, sealed anew and without compressing it again, with names, notes and pins and
  the settings of machines, and checks it. The old one goes on meanwhile. Broken off, the same command goes on; later it brings what is new.

  In the new one, old snapshots keep their job, machine and times (photos~0123456789ab@3). Jobs go on beside them under their old names: the
  first backup reads everything and sends only what lacks. What is kept of the old ones is decided by the same rules, for themselves.

Pieces of files:
  They are cut and named by the old keys, so that backups find what is there. Names are sealed: nobody without a new password reads anything.
  But who knows the old key, has a certain file himself, and watches sizes of what is written and read at the new storage, may tell that the file
  is there. Where that matters, --new-ids takes new keys for this too; then files are stored once more by the next backups, and the
  old pieces go with the old snapshots.

Passwords:
  HOLDFAST_FROM_PASSWORD or --from-password-file is the old one's; HOLDFAST_PASSWORD or --password-file is that of the new one, another.
  Keys of two storages are given as for a sync, see "holdfast sync --help".`
